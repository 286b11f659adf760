// What Export-Csv writes, and what programs for tables make of it: RFC 4180 with other delimiters.
#include "reference/exports/forms.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace cutover::reference::exports {

namespace {

constexpr std::size_t columns_max = 4096;
constexpr std::string_view again = "export it again with Export-Csv -NoTypeInformation";

struct Field {
  std::string text;
  bool quoted = false;
  int line = 0;
};

/// Takes record after record off a text.
class Records {
 public:
  Records(std::string_view text, char delimiter, int line, Problems& problems)
      : rest_(text), delimiter_(delimiter), line_(line), problems_(problems) {}

  /// Nothing at the end. An empty line is no record.
  [[nodiscard]] std::optional<std::vector<Field>> next() {
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) skip();
    if (rest_.empty() || failed_) return std::nullopt;
    std::vector<Field> fields;
    for (;;) {
      fields.push_back(field());
      if (failed_) return std::nullopt;
      if (fields.size() > columns_max) {
        fail(line_, "has more than 4096 columns");
        return std::nullopt;
      }
      if (rest_.empty() || rest_.front() != delimiter_) break;
      skip();
      if (rest_.empty()) fields.push_back({.text = {}, .quoted = false, .line = line_});
      if (rest_.empty()) break;
    }
    return fields;
  }

 private:
  void skip() {
    if (rest_.front() == '\n') ++line_;
    rest_.remove_prefix(1);
  }
  void fail(int line, std::string what) {
    failed_ = true;
    problems_.add(line, std::move(what), std::string(again));
  }

  Field field() {
    Field field{.text = {}, .quoted = !rest_.empty() && rest_.front() == '"', .line = line_};
    if (!field.quoted) {
      const auto end = std::min(rest_.find_first_of(std::string("\r\n") + delimiter_), rest_.size());
      field.text = rest_.substr(0, end);
      rest_.remove_prefix(end);
      return field;
    }
    skip();
    for (;;) {
      const auto quote = rest_.find('"');
      if (quote == std::string_view::npos) {
        fail(field.line, "a quote is opened and not closed");
        return field;
      }
      const auto piece = rest_.substr(0, quote);
      field.text += piece;
      line_ += static_cast<int>(std::ranges::count(piece, '\n'));
      rest_.remove_prefix(quote + 1);
      if (rest_.empty() || rest_.front() != '"') break;
      field.text += '"';
      rest_.remove_prefix(1);
    }
    if (!rest_.empty() && rest_.front() != delimiter_ && rest_.front() != '\r' && rest_.front() != '\n')
      fail(line_, "something stands between a quote and the end of its field");
    return field;
  }

  std::string_view rest_;
  char delimiter_;
  int line_;
  Problems& problems_;
  bool failed_ = false;
};

/// The first of the three that stands outside of quotes in the header; a single column has none.
char delimiter_of(std::string_view text) {
  bool quoted = false;
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ',' || c == ';' || c == '\t')) return c;
  }
  return ',';
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

Value value_of(Field field) {
  Value value;
  value.line = field.line;
  if (field.text.empty() && !field.quoted) return value;  // $null is written without quotes
  value.kind = is_type_name(field.text) ? Value::Kind::unreadable : Value::Kind::text;
  value.text = std::move(field.text);
  return value;
}

}  // namespace

void read_csv(std::string_view text, const Sink& sink, Problems& problems) {
  int line = 1;
  std::vector<std::string> types;
  const auto next_line = [&] {
    const auto end = std::min(text.find('\n'), text.size());
    const auto taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    return taken;
  };
  while (!text.empty() && trimmed(text.substr(0, text.find('\n'))).empty()) next_line();
  constexpr std::string_view type_mark = "#TYPE ";
  if (text.starts_with(type_mark)) types.push_back(trimmed(next_line().substr(type_mark.size())));

  Records records(text, delimiter_of(text), line, problems);
  const auto header = records.next();
  if (!header) return;
  while (auto fields = records.next()) {
    const int at = fields->front().line;
    if (fields->size() != header->size()) {
      problems.add(
          at, "has " + std::to_string(fields->size()) + " fields, and the header " + std::to_string(header->size()),
          std::string(again));
      continue;
    }
    Value object;
    object.kind = Value::Kind::object;
    object.types = types;
    object.line = at;
    for (std::size_t i = 0; i < fields->size(); ++i) {
      const auto name = trimmed((*header)[i].text);
      if (!name.empty()) object.properties.push_back({name, value_of(std::move((*fields)[i]))});
    }
    drop_repeated(object, problems);
    sink(std::move(object));
  }
}

}  // namespace cutover::reference::exports

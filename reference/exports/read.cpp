// Encodings by iconv, the form by its first character, and what the three readers share.
#include "reference/exports/read.h"

#include "reference/exports/forms.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <set>
#include <utility>

namespace cutover::reference::exports {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view as_utf8 = "write it with -Encoding UTF8";

struct Encoding {
  const char* name;
  std::size_t mark;  ///< octets
};

/// By its mark; without one by the zero octet that UTF-16 has beside a first character below 0x80.
Encoding encoding_of(std::string_view octets) {
  using namespace std::string_view_literals;
  if (octets.starts_with("\xEF\xBB\xBF"sv)) return {"UTF-8", 3};
  if (octets.starts_with("\xFF\xFE"sv)) return {"UTF-16LE", 2};
  if (octets.starts_with("\xFE\xFF"sv)) return {"UTF-16BE", 2};
  if (octets.size() >= 2 && octets[0] != '\0' && octets[1] == '\0') return {"UTF-16LE", 0};
  if (octets.size() >= 2 && octets[0] == '\0' && octets[1] != '\0') return {"UTF-16BE", 0};
  return {"UTF-8", 0};
}

struct CloseConverter {
  void operator()(void* converter) const { iconv_close(converter); }
};

int line_of(std::string_view text) { return 1 + static_cast<int>(std::ranges::count(text, '\n')); }

}  // namespace

const char* name_of(Form form) {
  constexpr std::array names{"ConvertTo-Json", "Export-Clixml", "Export-Csv"};
  return names.at(static_cast<std::size_t>(form));
}

std::variant<std::string, Problem> to_utf8(std::string_view octets, const std::string& file) {
  const auto [name, mark] = encoding_of(octets);
  octets.remove_prefix(mark);
  const std::unique_ptr<void, CloseConverter> converter(iconv_open("UTF-8", name));
  std::string text;
  text.reserve(octets.size());
  std::array<char, 65536> buffer{};
  auto* in = const_cast<char*>(octets.data());  // POSIX declares it so, and does not write there
  std::size_t left = octets.size();
  while (left > 0) {
    char* out = buffer.data();
    std::size_t room = buffer.size();
    const auto result = iconv(converter.get(), &in, &left, &out, &room);
    const int error = errno;
    text.append(buffer.data(), buffer.size() - room);
    if (result == static_cast<std::size_t>(-1) && error != E2BIG) {
      return Problem{{file, line_of(text)}, std::string("is not ") + name, std::string(as_utf8)};
    }
  }
  if (const auto zero = text.find('\0'); zero != std::string::npos) {
    return Problem{{file, line_of(std::string_view(text).substr(0, zero))},
                   "holds a character of value 0: it is no text",
                   std::string(as_utf8)};
  }
  return text;
}

std::optional<Form> form_of(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return std::nullopt;
  text.remove_prefix(first);
  const auto rest = text.substr(0, text.find_last_not_of(blanks) + 1);
  if (text.front() == '{' || text.front() == '[' || rest == "null") return Form::json;
  if (text.front() == '<') {
    return text.substr(0, 4096).find("<Objs") != std::string_view::npos ? std::optional(Form::clixml) : std::nullopt;
  }
  if (text.starts_with("#TYPE ")) return Form::csv;
  const auto header = text.substr(0, text.find('\n'));
  // What Export-Csv writes has its names in quotes; programs for tables drop them.
  const bool quoted = header.front() == '"';
  const bool names = header.find_first_of(",;\t") != std::string_view::npos &&
                     header.find_first_of("{}<>=():$") == std::string_view::npos;
  return quoted || names ? std::optional(Form::csv) : std::nullopt;
}

void read_form(Form form, std::string_view text, const Sink& sink, Problems& problems) {
  switch (form) {
    case Form::json:
      return read_json(text, sink, problems);
    case Form::clixml:
      return read_clixml(text, sink, problems);
    case Form::csv:
      return read_csv(text, sink, problems);
  }
}

void read_export(std::string_view octets, const Sink& sink, Problems& problems) {
  auto text = to_utf8(octets, problems.file);
  if (auto* problem = std::get_if<Problem>(&text)) {
    problems.all.push_back(std::move(*problem));
    return;
  }
  const auto& utf8 = std::get<std::string>(text);
  if (const auto form = form_of(utf8)) return read_form(*form, utf8, sink, problems);
  if (utf8.find_first_not_of(blanks) == std::string::npos) {
    return problems.note(0, "is empty: what it would list is not known", "leave it out where the product has none");
  }
  problems.add(0, "is neither JSON nor CLIXML nor CSV",
               "export with ConvertTo-Json, Export-Clixml or Export-Csv, not with Format-List or Out-File alone");
}

void drop_repeated(Value& object, Problems& problems) {
  std::vector<std::size_t> order(object.properties.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  const auto name = [&](std::size_t i) -> const std::string& { return object.properties[i].name; };
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return std::ranges::lexicographical_compare(name(a), name(b), {}, lower, lower);
  });
  std::set<std::size_t> repeated;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (same_name(name(order[i - 1]), name(order[i]))) repeated.insert(order[i]);
  }
  for (auto at = repeated.rbegin(); at != repeated.rend(); ++at) {
    const auto& property = object.properties[*at];
    problems.add(property.value.line, property.name + " stands twice in one object", "export it again");
    object.properties.erase(object.properties.begin() + static_cast<std::ptrdiff_t>(*at));
  }
}

bool is_type_name(std::string_view text) {
  if (!text.starts_with("System.") && !text.starts_with("Microsoft.")) return false;
  constexpr std::string_view of_names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._`[],+=# ";
  if (text.find_first_not_of(of_names) != std::string_view::npos) return false;
  return text.find("Collections.") != std::string_view::npos || text.ends_with("[]") || text.ends_with("]]") ||
         text.starts_with("Microsoft.Rtc.") || text.starts_with("System.Management.") || text == "System.Object";
}

}  // namespace cutover::reference::exports

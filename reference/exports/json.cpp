// What ConvertTo-Json writes, by Boost's parser line by line, which tells where each property stands.
#include "reference/exports/forms.h"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace cutover::reference::exports {

namespace {

namespace json = boost::json;

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view text_behind = "something stands behind the end of the JSON";
constexpr std::string_view one_a_file = "write one export into one file";
constexpr std::string_view an_object_expected = "an object of the product was expected";

/// Assembles values from what the parser meets, and passes on whole objects.
class Assembler {
 public:
  static constexpr std::size_t max_object_size = values_per_object_max;
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 4096;
  static constexpr std::size_t max_string_size = 16UL * 1024 * 1024;

  Assembler(const Sink& sink, Problems& problems) : sink_(sink), problems_(problems) {}

  void at_line(int line) { line_ = line; }
  [[nodiscard]] bool too_much() const { return too_much_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& error) { return open(Value::Kind::object, error); }
  bool on_array_begin(json::error_code& error) { return open(Value::Kind::list, error); }
  bool on_object_end(std::size_t, json::error_code& error) { return close(error); }
  bool on_array_end(std::size_t, json::error_code& error) { return close(error); }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t size, json::error_code& error) {
    on_key_part(part, size, error);
    open_.back().key = std::exchange(text_, {});
    open_.back().key_line = line_;
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t size, json::error_code& error) {
    return on_key_part(part, size, error);
  }
  bool on_string(json::string_view part, std::size_t size, json::error_code& error) {
    on_key_part(part, size, error);
    Value value;
    value.kind = is_type_name(text_) ? Value::Kind::unreadable : Value::Kind::text;
    value.text = std::exchange(text_, {});
    return place(std::move(value), error);
  }
  bool on_number_part(json::string_view part, json::error_code& error) { return on_key_part(part, 0, error); }
  bool on_int64(std::int64_t number, json::string_view part, json::error_code& error) {
    return on_number(number, part, error);
  }
  bool on_uint64(std::uint64_t number, json::string_view part, json::error_code& error) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return on_number(std::cmp_greater(number, most) ? most : static_cast<std::int64_t>(number), part, error);
  }
  bool on_double(double number, json::string_view part, json::error_code& error) {
    constexpr double most = 9.2e18;
    return on_number(static_cast<std::int64_t>(std::clamp(number, -most, most)), part, error);
  }
  bool on_bool(bool flag, json::error_code& error) {
    Value value;
    value.kind = Value::Kind::flag;
    value.flag = flag;
    return place(std::move(value), error);
  }
  bool on_null(json::error_code& error) { return place({}, error); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  struct Open {
    Value value;
    std::string key;
    int key_line = 0;
    std::size_t passed_on = 0;  ///< of a list: items that were objects of their own
    bool wrapper = false;       ///< of an object: {"value": [...], "Count": n} around the list that was passed on
  };

  bool on_number(std::int64_t number, json::string_view part, json::error_code& error) {
    on_key_part(part, 0, error);
    Value value;
    value.kind = Value::Kind::number;
    value.number = number;
    value.text = std::exchange(text_, {});
    return place(std::move(value), error);
  }

  bool count(json::error_code& error) {
    if (++values_ <= values_per_object_max) return true;
    too_much_ = true;
    error = json::make_error_code(json::error::array_too_large);
    return false;
  }

  bool open(Value::Kind kind, json::error_code& error) {
    if (!count(error)) return false;
    Open opened;
    opened.value.kind = kind;
    opened.value.line = line_;
    open_.push_back(std::move(opened));
    return true;
  }

  bool close(json::error_code& error) {
    Open closed = std::move(open_.back());
    open_.pop_back();
    if (closed.wrapper) {
      check_wrapper(closed);
      return true;
    }
    if (closed.value.kind == Value::Kind::object) {
      drop_repeated(closed.value, problems_);
      unwrap(closed.value);
    }
    if (closed.passed_on > 0) {
      // A list of objects is none of its own: it was passed on item by item.
      if (!closed.value.items.empty()) problems_.add(line_, std::string(an_object_expected), "export objects alone");
      if (!open_.empty() && open_.back().value.kind == Value::Kind::object) {
        open_.back().wrapper = true;
        open_.back().passed_on = closed.passed_on;
      }
      return true;
    }
    --values_;  // counted when it was opened
    return place(std::move(closed.value), error);
  }

  /// COMPAT(PowerShell 5.1): it wraps a list that was given a property of its own.
  static void unwrap(Value& object) {
    if (object.properties.size() != 2) return;
    auto* list = const_cast<Value*>(object.find("value"));
    const auto* count = object.find("Count");
    if (list == nullptr || count == nullptr || list->kind != Value::Kind::list) return;
    if (count->kind != Value::Kind::number || std::cmp_not_equal(count->number, list->items.size())) return;
    Value inner = std::move(*list);
    object = std::move(inner);
  }

  void check_wrapper(const Open& wrapper) {
    for (const auto& [name, value] : wrapper.value.properties) {
      if (!same_name(name, "Count")) {
        problems_.add(value.line, name + " beside a list of objects is not understood", "export the objects alone");
      } else if (value.kind != Value::Kind::number || std::cmp_not_equal(value.number, wrapper.passed_on)) {
        problems_.add(value.line,
                      "Count says " + value.text + ", and " + std::to_string(wrapper.passed_on) + " objects are there",
                      "export it again: the file was cut or changed");
      }
    }
  }

  /// Whether what is placed now is an object of its own: at the top, in the list there, or in that of a wrapper.
  [[nodiscard]] bool at_top() const {
    if (open_.empty()) return true;
    const auto& list = open_.back();
    if (list.value.kind != Value::Kind::list || !list.value.items.empty()) return false;
    if (open_.size() == 1) return true;
    const auto& around = open_[open_.size() - 2];
    return open_.size() == 2 && around.value.kind == Value::Kind::object && same_name(around.key, "value") &&
           around.value.properties.size() <= 1 &&
           (around.value.properties.empty() || same_name(around.value.properties[0].name, "Count"));
  }

  bool place(Value value, json::error_code& error) {
    if (at_top() && (value.kind == Value::Kind::object || open_.size() < 2)) {
      pass_on(std::move(value));
      return true;
    }
    if (!count(error)) return false;
    auto& parent = open_.back();
    if (parent.value.kind == Value::Kind::list) {
      if (value.line == 0) value.line = line_;
      parent.value.items.push_back(std::move(value));
    } else {
      value.line = parent.key_line;
      parent.value.properties.push_back({std::move(parent.key), std::move(value)});
    }
    return true;
  }

  void pass_on(Value value) {
    values_ = open_.size();
    if (!open_.empty()) ++open_.back().passed_on;
    if (value.kind == Value::Kind::object) return sink_(std::move(value));
    if (value.kind == Value::Kind::list && value.items.empty()) return;  // nothing is exported as []
    if (value.kind == Value::Kind::null && open_.empty()) return;        // ... or as null
    problems_.add(line_, std::string(an_object_expected), "pipe what Get-Cs... gives into ConvertTo-Json");
  }

  const Sink& sink_;
  Problems& problems_;
  int line_ = 1;
  std::vector<Open> open_;
  std::string text_;
  std::size_t values_ = 0;
  bool too_much_ = false;
};

std::string words_of(const json::error_code& error, bool too_much) {
  if (too_much) return std::string(too_much_in_one);
  if (error == json::error::too_deep) return "is nested deeper than " + std::to_string(depth_max);
  if (error == json::error::incomplete) return "ends in the middle of an object";
  return "is not JSON: " + error.message();
}

std::string remedy_for(const json::error_code& error, bool too_much) {
  return std::string(too_much || error == json::error::too_deep ? select_less : "export it again with ConvertTo-Json");
}

}  // namespace

void read_json(std::string_view text, const Sink& sink, Problems& problems) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<Assembler> parser(options, sink, problems);
  int line = 1;
  while (!text.empty() && !parser.done()) {
    const auto end = text.find('\n');
    const auto piece = text.substr(0, end == std::string_view::npos ? end : end + 1);
    text.remove_prefix(piece.size());
    parser.handler().at_line(line);
    json::error_code error;
    const auto used = parser.write_some(!text.empty(), piece.data(), piece.size(), error);
    if (error) {
      return problems.add(line, words_of(error, parser.handler().too_much()),
                          remedy_for(error, parser.handler().too_much()));
    }
    if (parser.done() && piece.substr(used).find_first_not_of(blanks) != std::string_view::npos)
      return problems.add(line, std::string(text_behind), std::string(one_a_file));
    line += end == std::string_view::npos ? 0 : 1;
  }
  if (!parser.done()) return problems.add(line, words_of(json::error::incomplete, false), "export it again");
  if (text.find_first_not_of(blanks) != std::string_view::npos)
    problems.add(line, std::string(text_behind), std::string(one_a_file));
}

}  // namespace cutover::reference::exports

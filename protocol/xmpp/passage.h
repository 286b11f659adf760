// The seam between a stream engine and its wire, decrypted: items on their way, and the rewrites that change them.
#pragma once

#include "protocol/base/departures.h"
#include "protocol/base/node.h"
#include "protocol/xml/element.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace cutover::xmpp {

/// One item of a stream on its way: what a rewrite may look at and change. `octets` is what goes on; emptied, nothing
/// does. A rewrite that replaced the octets leaves `element` as it was.
class Passage {
 public:
  /// `other`: white space between stanzas, and octets that cannot be read.
  enum class Kind { header, element, end_tag, other };

  Direction direction = Direction::out;  ///< as the node sees it
  Kind kind = Kind::other;
  bool initiating = false;  ///< the node opened the stream
  bool secured = false;     ///< inside TLS
  bool link = false;        ///< the trusted link between proxy and gateway
  xml::Element element;     ///< kind element: it; kind header: its tag
  std::string octets;

  [[nodiscard]] bool out() const { return direction == Direction::out; }
  [[nodiscard]] bool in() const { return direction == Direction::in; }
  /// A header that the node sends (hears).
  [[nodiscard]] bool sends_header() const { return out() && kind == Kind::header; }
  [[nodiscard]] bool hears_header() const { return in() && kind == Kind::header; }
  /// An element of that name that the node sends (hears); an empty namespace: any.
  [[nodiscard]] bool sends(std::string_view name, std::string_view ns = {}) const { return out() && is(name, ns); }
  [[nodiscard]] bool hears(std::string_view name, std::string_view ns = {}) const { return in() && is(name, ns); }
  [[nodiscard]] bool is(std::string_view name, std::string_view ns = {}) const;
  [[nodiscard]] bool is_stanza() const;
  /// A stanza of that type; empty for none.
  [[nodiscard]] bool has_type(std::string_view type) const;
  [[nodiscard]] bool sends_presence(std::string_view type) const { return sends("presence") && has_type(type); }
  [[nodiscard]] bool hears_presence(std::string_view type) const { return hears("presence") && has_type(type); }

  void drop() { octets.clear(); }
  void repeat() { octets += octets; }
  /// Writes the element anew, as a child of the stream that it is of.
  void put(const xml::Element& changed);
  /// Changes the element, and writes it anew.
  void edit(const std::function<void(xml::Element&)>& change);
  /// Sets, or takes out, an attribute of the first tag among the octets; the rest stays as it was written.
  void set_attribute(std::string_view name, std::string_view value);
  void remove_attribute(std::string_view name);
  /// Replaces the first (every) occurrence of a text in the octets. False where there is none.
  bool replace(std::string_view text, std::string_view by);
  /// Sends something the other way: back to the peer (the item is heard), or to the node (it is sent), whose trace then
  /// shows it as heard although no wire carried it.
  void answer(std::string_view what) { back += what; }
  /// Ends the stream in place of the item: the peer gets a stream error, and the node an end tag, as if the peer had
  /// sent it, which it answers with its own. Of what else the node sends, nothing goes on.
  void end_stream(std::string_view condition);
  void answer(const xml::Element& what);

  std::string back;    ///< what answer() was given
  bool ended = false;  ///< end_stream() was called

  // How the header of this direction declares namespaces, which what is written anew needs to know.
  std::string content_ns = "jabber:server";
  bool usual_prefixes = true;  ///< stream and db
};

/// The rewrites of one stream, with what they remember. Frames both directions into items, whatever their octets are
/// cut into; restarts are seen by themselves.
class Seam {
 public:
  /// Null where nothing departs on the wire.
  [[nodiscard]] static std::unique_ptr<Seam> of(const Departures&, bool initiating, bool link);
  ~Seam();

  /// What goes on of `octets`. An item that is not complete waits for the rest of it.
  [[nodiscard]] std::string pass(Direction, std::string_view octets, bool secured);
  /// What waits for the rest of an item, once none can come any more; it goes on as it is, rewritten as `other`.
  [[nodiscard]] std::string rest(Direction);
  /// What rewrites answered while `direction` passed: octets for the other way, which are not rewritten.
  [[nodiscard]] std::string take_back(Direction direction);

 private:
  struct Impl;
  explicit Seam(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cutover::xmpp

// What the two ends of each connection said to each other, item by item, as one of them heard it.
#pragma once

#include "harness/worlds/trace.h"
#include "protocol/xml/reader.h"

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cutover::harness::standing {

/// White space that was sent between two items.
struct Space {};
/// TLS is established: what follows is inside it, and a document of its own on either side.
struct Secured {};
/// Something was sent behind the end tag of its document.
struct BehindTheEnd {};
/// Something that is no TLS was sent between <proceed/> and the end of the handshake.
struct BehindProceed {};

/// One thing that one of the two said.
struct Said {
  bool by_sender = false;  ///< by the one that is judged; else by who heard it
  bool secured = false;
  int document = 0;    ///< of that side: 0, 1, 2: each restart begins a new one
  std::string octets;  ///< decrypted, with the white space before
  std::variant<xml::StreamHeader, xml::Element, xml::StreamEnd, xml::Fault, Space, Secured, BehindTheEnd, BehindProceed>
      item;

  [[nodiscard]] const xml::StreamHeader* header() const { return std::get_if<xml::StreamHeader>(&item); }
  [[nodiscard]] const xml::Element* element() const { return std::get_if<xml::Element>(&item); }
  [[nodiscard]] const xml::Fault* fault() const { return std::get_if<xml::Fault>(&item); }
  template <class T>
  [[nodiscard]] bool is() const {
    return std::holds_alternative<T>(item);
  }
};

/// One connection, as the node at one of its ends heard and noted it.
struct Conversation {
  std::string sender, listener;  ///< node names: who is judged, and who heard it
  std::string connection;
  bool sender_initiates = false;  ///< the sender opened the connection
  bool with_client = false;       ///< the listener is a client of the sender
  /// What the listener said cannot all be read: rules that need to know it do not judge.
  bool listener_errs = false;
  std::vector<Said> said;  ///< in the order in which the listener sent and received it

  /// The first header of the sender, or of the listener; null where there is none.
  [[nodiscard]] const xml::StreamHeader* first_header(bool of_sender) const;
};

/// Who of a trace is judged, and by whom it was heard.
using Judged = std::function<bool(std::string_view sender, std::string_view listener)>;

/// The XMPP connections of a trace whose sender is judged, each once for each end that noted it, in the order of their
/// beginning. What a world left out of its trace, and all behind it, is not there, nor what follows the end of the
/// case.
[[nodiscard]] std::vector<Conversation> conversations(const std::vector<TraceRecord>& records, const Judged& judged);

}  // namespace cutover::harness::standing

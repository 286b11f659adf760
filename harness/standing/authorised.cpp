// <success/> and db:result of type valid.
#include "harness/standing/authorised.h"

#include "protocol/xmpp/jid.h"
#include "protocol/xmpp/namespaces.h"

namespace cutover::harness::standing {

namespace ns = xmpp::ns;

void Authorised::hear(const Said& one) {
  const auto* element = one.element();
  if (element == nullptr || one.by_sender) return;
  if (element->is("success", ns::sasl)) by_sasl_ = true;
  if (element->is("result", ns::dialback) && element->attribute_or_empty("type") == "valid")
    pairs_.emplace(xmpp::canonical_domain(element->attribute_or_empty("to")),
                   xmpp::canonical_domain(element->attribute_or_empty("from")));
}

}  // namespace cutover::harness::standing

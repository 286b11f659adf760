// `cutover authority`: certificates for the servers that are judged and for tools, good ones and flawed ones.
#include "harness/cli/subcommands.h"
#include "harness/files/authority_folder.h"
#include "protocol/base/address.h"
#include "protocol/xmpp/jid.h"
#include "reports/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

namespace cutover::harness::cli {

namespace {

tls::SubjectName name_from(const std::string& text) {
  tls::SubjectName name{tls::NameKind::dns, text};
  for (const auto& [prefix, kind] :
       {std::pair{"srv:", tls::NameKind::srv}, std::pair{"xmpp:", tls::NameKind::xmpp_addr}}) {
    if (text.starts_with(prefix)) name = {kind, text.substr(std::string_view(prefix).size())};
  }
  // A wildcard is a name of a certificate too, one that some servers have.
  const auto domain = name.value.starts_with("*.") ? name.value.substr(2) : name.value;
  if (!xmpp::is_domain(domain) || domain.find(':') != std::string::npos || is_address_literal(domain))
    throw UsageError(fmt::format("expected DOMAIN, srv:DOMAIN or xmpp:DOMAIN, not '{}'", reports::terminal_text(text)));
  return name;
}

tls::Flaw flaw_from(const std::string& text) {
  const auto found = std::ranges::find_if(tls::flaws(), [&](auto flaw) { return text == name_of(flaw); });
  if (found == tls::flaws().end()) throw UsageError("--flaw: there is no flaw " + text);
  return *found;
}

}  // namespace

std::vector<std::string> issuable_flaws() {
  std::vector<std::string> names;
  for (const auto flaw : tls::flaws()) {
    if (flaw != tls::Flaw::no_certificate) names.emplace_back(name_of(flaw));
  }
  return names;
}

int authority_new_command(const std::string& folder) {
  (void)AuthorityFolder::make(folder);
  std::cout << folder << "/root.pem: whoever is to trust the certificates needs this\n"
            << folder << "/authority.pem: with its keys; for `settings.authority` of a target\n";
  return 0;
}

int authority_issue_command(const AuthorityArguments& arguments) {
  tls::CertificateRequest request;
  for (const auto& name : arguments.names) request.names.push_back(name_from(name));
  request.flaw = flaw_from(arguments.flaw);
  request.rsa = arguments.rsa;
  const auto named = request.flaw == tls::Flaw::none ? request.names.front().value
                                                     : request.names.front().value + "-" + arguments.flaw;
  const auto stem = arguments.out.empty() ? arguments.folder + "/" + named : arguments.out;
  AuthorityFolder::open(arguments.folder).issue(request, stem);
  std::cout << stem << ".pem: the certificate, followed by what leads to the root\n" << stem << ".key: its key\n";
  return 0;
}

}  // namespace cutover::harness::cli

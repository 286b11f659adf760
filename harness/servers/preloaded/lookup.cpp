// A library for LD_PRELOAD: getaddrinfo of a server that looks addresses up by libc asks the name server of the world.
// libc takes name servers from /etc/resolv.conf only, and only on port 53; a private one would want root or namespaces.
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <dlfcn.h>
#include <netdb.h>
#include <resolv.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

using Getaddrinfo = int(const char*, const char*, const addrinfo*, addrinfo**);

/// CUTOVER_NAME_SERVER=ADDRESS:PORT, as real_server.cpp sets it.
bool read_name_server(sockaddr_in& server) {
  const char* text = std::getenv("CUTOVER_NAME_SERVER");
  const char* colon = text == nullptr ? nullptr : std::strchr(text, ':');
  if (colon == nullptr) return false;
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(colon + 1)));
  return inet_pton(AF_INET, std::string(text, colon).c_str(), &server.sin_addr) == 1;
}

/// Adds an entry for every address record of an answer.
int add_addresses(const unsigned char* answer, int size, const char* service, const addrinfo* hints, Getaddrinfo* libc,
                  addrinfo** result) {
  ns_msg message;
  if (ns_initparse(answer, size, &message) != 0) return EAI_FAIL;
  addrinfo** end = result;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return EAI_FAIL;
    std::array<char, INET_ADDRSTRLEN> text{};
    if (ns_rr_type(record) != ns_t_a || ns_rr_rdlen(record) != sizeof(in_addr)) continue;
    inet_ntop(AF_INET, ns_rr_rdata(record), text.data(), text.size());
    // Every entry is allocated by itself, so that lists can be joined and freed as one.
    if (const int error = libc(text.data(), service, hints, end); error != 0) return error;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return *result == nullptr ? EAI_NONAME : 0;
}

int look_up(const sockaddr_in& server, const char* node, const char* service, const addrinfo* hints, Getaddrinfo* libc,
            addrinfo** result) {
  struct __res_state state {};
  if (res_ninit(&state) != 0) return EAI_FAIL;
  state.nscount = 1;
  state.nsaddr_list[0] = server;
  std::array<unsigned char, NS_MAXMSG> answer{};
  const int size = res_nquery(&state, node, ns_c_in, ns_t_a, answer.data(), answer.size());
  const int failure = state.res_h_errno == TRY_AGAIN ? EAI_AGAIN : EAI_NONAME;
  res_nclose(&state);
  *result = nullptr;
  return size < 0 ? failure : add_addresses(answer.data(), size, service, hints, libc, result);
}

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  auto* const libc = reinterpret_cast<Getaddrinfo*>(dlsym(RTLD_NEXT, "getaddrinfo"));
  sockaddr_in server{};
  in_addr literal{};
  in6_addr literal6{};
  const bool is_name =
      node != nullptr && inet_pton(AF_INET, node, &literal) != 1 && inet_pton(AF_INET6, node, &literal6) != 1;
  if (!is_name || !read_name_server(server)) return libc(node, service, hints, result);
  return look_up(server, node, service, hints, libc, result);
}

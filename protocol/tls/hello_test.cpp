// Hellos: what was written is read again, and octets that are none are refused.
#include "protocol/tls/hello.h"
#include "protocol/tls/authority.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cutover::tls {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Hello, OfAClientIsReadAsItWasWritten) {
  const ClientHello hello{.suites = {0xC02B, 0x009C},
                          .compressions = {1, 0},
                          .renegotiation_info = false,
                          .versions = {0x0304, 0x0303},
                          .server_name = "a.example"};
  const auto read = read_client_hello(write(hello));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, tls1_2_number);
  EXPECT_THAT(read->suites, ElementsAre(0xC02B, 0x009C));
  EXPECT_THAT(read->compressions, ElementsAre(1, 0));
  EXPECT_FALSE(read->renegotiation_info);
  EXPECT_THAT(read->versions, ElementsAre(0x0304, 0x0303));
}

TEST(Hello, OfSsl2HasItsOwnForm) {
  const auto read = read_client_hello(write(ClientHello{.version = ssl2, .suites = {0x0004, 0x0080}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, ssl2);
  EXPECT_THAT(read->suites, ElementsAre(0x0004, 0x0080));
}

TEST(Hello, OfAServerIsReadAsItWasWritten) {
  const auto read = read_server_hello(
      write(ServerHello{.version = ssl3, .suite = 0x0005, .compression = 1, .renegotiation_info = false}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, ssl3);
  EXPECT_EQ(read->suite, 0x0005);
  EXPECT_EQ(read->compression, 1);
  EXPECT_FALSE(read->renegotiation_info);
  EXPECT_TRUE(read_server_hello(write(ServerHello{}))->renegotiation_info);
}

TEST(Hello, CutShortIsNone) {
  const auto whole = write(ClientHello{.suites = {0xC02B}, .versions = {}, .server_name = {}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_client_hello(whole.substr(0, size))) << size;
    EXPECT_TRUE(may_begin_a_hello(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(read_server_hello(whole));
  EXPECT_FALSE(may_begin_a_hello("<stream:stream>"));
  EXPECT_FALSE(read_client_hello("<stream:stream xmlns='jabber:server'>"));
}

TEST(Hello, OfTheLibraryIsRead) {
  const auto authority = make_openssl_authority(1'700'000'000);
  const auto client = authority->issue({.names = {{NameKind::dns, "a.example"}}})->session(Role::client, {});
  (void)client->handshake();
  const auto read = read_client_hello(client->take_cipher());
  ASSERT_TRUE(read);
  EXPECT_THAT(read->versions, Contains(0x0304));
  EXPECT_THAT(read->compressions, ElementsAre(0));
  EXPECT_TRUE(read->renegotiation_info);
  EXPECT_THAT(read->suites, testing::Not(IsEmpty()));
  EXPECT_TRUE(std::ranges::none_of(read->suites, is_weak_suite));
}

}  // namespace
}  // namespace cutover::tls

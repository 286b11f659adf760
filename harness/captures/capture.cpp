// tshark is asked twice: whose segments there are, then what the connections that matter carry.
#include "harness/captures/capture.h"

#include "harness/captures/tshark_output.h"
#include "harness/files/text_file.h"
#include "harness/servers/private_folder.h"
#include "harness/servers/process.h"
#include "protocol/base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace cutover::harness {

namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t usual_ports[] = {5222, 5223, 5269, 5270};
constexpr std::size_t output_max_octets = 4000UL * 1024 * 1024;
/// Each followed connection costs tshark a look at each packet, and each run all of the file.
constexpr std::size_t followed_at_a_time = 64;

/// A regular file of some octets: whatever else it is, tshark finds out.
void check_file(const fs::path& file, const char* expected) {
  std::error_code error;
  const auto status = fs::status(file, error);
  const auto fail = [&](const std::string& what) {
    throw CaptureError(fmt::format("{} {}; expected {}", file.string(), what, expected));
  };
  if (!fs::exists(status)) fail("is not there");
  if (!fs::is_regular_file(status)) fail("is no regular file");
  if (fs::file_size(file, error) == 0) fail("is empty");
}

/// A line of a key log: a word in capitals, and two numbers in hexadecimal.
void check_keys(const fs::path& file) {
  constexpr char expected[] = "a key log, as a program writes it where SSLKEYLOGFILE is set";
  check_file(file, expected);
  std::string text;
  try {
    text = read_text_file(file.string(), 256UL * 1024 * 1024);
  } catch (const FileError& error) {
    throw CaptureError(fmt::format("{} {}", file.string(), error.what()));
  }
  for (const auto* word : {"CLIENT_RANDOM ", "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 ", "RSA "})
    if (text.starts_with(word) || text.find(std::string("\n") + word) != std::string::npos) return;
  throw CaptureError(fmt::format("{} has no secret of a TLS connection; expected {}", file.string(), expected));
}

struct Answer {
  int code = 0;
  std::string output, complaint;
};

/// tshark with nobody's settings but these.
class Tshark {
 public:
  explicit Tshark(const CaptureOptions& options) {
    const auto program = tshark_program();
    if (!program) throw HarnessFault("no tshark here, which reassembles and decrypts captures: apt-get install tshark");
    // Its words of two kinds go to two files, so through a shell.
    arguments_ = {"-c", R"(exec "$@" 2>"$COMPLAINTS")",     "sh", program->string(), "-n",
                  "-r", fs::absolute(options.file).string()};
    for (const auto port : options.ports)
      for (const auto* protocol : {"xmpp"}) add({"-d", fmt::format("tcp.port=={},{}", port, protocol)});
    // TLS from the first octet is found on the ports of STARTTLS, too.
    add({"-o", "tcp.try_heuristic_first:TRUE"});
    if (!options.keys.empty()) add({"-o", "tls.keylog_file:" + fs::absolute(options.keys).string()});
  }

  [[nodiscard]] Answer ask(std::vector<std::string> words) const {
    const auto output = folder_.path() / "output", complaints = folder_.path() / "complaints";
    words.insert(words.begin(), arguments_.begin(), arguments_.end());
    ChildProcess process("/bin/sh", words,
                         {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=" + folder_.path().string(),
                          "COMPLAINTS=" + complaints.string()},
                         output);
    Answer answer;
    answer.code = process.wait();
    answer.output = read_text_file(output.string(), output_max_octets);
    answer.complaint = complaint_in(read_text_file(complaints.string()));
    return answer;
  }

 private:
  void add(std::initializer_list<std::string> words) { arguments_.insert(arguments_.end(), words); }
  /// The first line that is its own and no warning about root.
  static std::string complaint_in(std::string_view text) {
    constexpr std::string_view own = "tshark: ";
    const auto at = text.starts_with(own) ? 0 : text.find("\ntshark: ");
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at == 0 ? own.size() : at + 1 + own.size());
    return std::string(text.substr(0, text.find('\n')));
  }

  PrivateFolder folder_;
  std::vector<std::string> arguments_;
};

/// Whose segments there are.
struct Survey {
  struct Stream {
    Endpoint opener, listener;
    bool begun = false;    ///< its first packets are in the capture
    bool is_xmpp = false;  ///< or may be
    bool has_octets = false;
    std::uint32_t cut_at = 0;  ///< the first packet whose end was not captured; 0: none
  };
  struct Origin {
    std::uint32_t stream = 0;
    bool by_opener = false, known = false;
  };
  std::vector<Stream> streams;
  std::vector<Origin> origins;  ///< by packet
};

Survey survey_of(std::string_view rows, const std::vector<std::uint16_t>& more_ports) {
  Survey survey;
  const auto is_port_of_xmpp = [&](std::uint16_t port) {
    return std::ranges::find(usual_ports, port) != std::end(usual_ports) ||
           std::ranges::find(more_ports, port) != more_ports.end();
  };
  each_segment(rows, [&](const Segment& segment) {
    constexpr std::uint32_t most = 100'000'000;  // tshark counts from 1
    if (segment.packet > most || segment.connection > most) return;
    if (segment.connection >= survey.streams.size()) survey.streams.resize(segment.connection + 1);
    auto& stream = survey.streams[segment.connection];
    if (stream.opener.address.empty() || (segment.syn && !stream.begun)) {
      const bool by_listener = segment.syn ? segment.ack : is_port_of_xmpp(segment.from.port);
      stream.opener = by_listener ? segment.to : segment.from;
      stream.listener = by_listener ? segment.from : segment.to;
    }
    stream.begun = stream.begun || segment.syn;
    stream.is_xmpp = stream.is_xmpp || is_port_of_xmpp(stream.listener.port) ||
                     segment.protocols.find(":xmpp") != std::string_view::npos;
    stream.has_octets = stream.has_octets || !segment.empty;
    if (segment.cut && stream.cut_at == 0) stream.cut_at = segment.packet;
    if (segment.packet >= survey.origins.size()) survey.origins.resize(segment.packet + 1);
    survey.origins[segment.packet] = {segment.connection, segment.from == stream.opener, true};
  });
  return survey;
}

/// Where TLS begins in what was sent in clear; a document never has such an octet.
std::size_t tls_begins(std::string_view octets) { return octets.find("\x16\x03"); }
bool holds_data(std::string_view tls) { return tls.find("\x17\x03") != std::string_view::npos; }

/// Puts what was in clear and what was decrypted into one order.
class Joining {
 public:
  Joining(const Survey& survey, Connection& connection) : survey_(survey), connection_(connection) {
    if (const auto cut_at = survey.streams[connection.number].cut_at; cut_at != 0)
      end_at(cut_at, "packets whose ends were not captured");
  }

  void clear(std::vector<Chunk> chunks) {
    bool encrypted[2] = {false, false};
    for (auto& chunk : chunks) {
      if (tells_of_a_gap(chunk)) end_at(chunk.packet, "packets that are missing");
      if (chunk.packet >= end_) break;
      const bool by_opener = survey_.origins[chunk.packet].by_opener;
      auto& hidden = encrypted[by_opener ? 1 : 0];
      const auto begin = hidden ? 0 : tls_begins(chunk.octets);
      has_data_ = has_data_ || (begin != std::string::npos && holds_data(std::string_view(chunk.octets).substr(begin)));
      if (begin != std::string::npos) chunk.octets.resize(begin);
      hidden = hidden || begin != std::string::npos;
      if (!chunk.octets.empty()) add(std::move(chunk), by_opener, false);
    }
  }
  void decrypted(std::vector<Chunk> chunks) {
    for (auto& chunk : chunks) {
      if (chunk.packet >= end_) break;
      const bool by_opener = survey_.origins[chunk.packet].by_opener;
      if (!chunk.octets.empty()) add(std::move(chunk), by_opener, true);
    }
  }
  void finish(bool has_keys) {
    auto& spoken = connection_.spoken;
    std::ranges::stable_sort(spoken, {}, [](const Spoken& one) { return std::pair(one.inside_tls, one.packet); });
    const bool read = std::ranges::any_of(spoken, &Spoken::inside_tls);
    if (!has_data_ || read) return;
    connection_.unread =
        has_keys ? "no key fits what is inside its TLS, or nothing was said there" : "there is no key of its TLS";
  }

 private:
  void add(Chunk chunk, bool by_opener, bool inside_tls) {
    connection_.spoken.push_back({chunk.packet, chunk.time, by_opener, inside_tls, std::move(chunk.octets)});
  }
  void end_at(std::uint32_t packet, const char* why) {
    if (packet >= end_) return;
    end_ = packet;
    connection_.unread = fmt::format("read up to packet {}, for of it there are {}", packet, why);
  }

  const Survey& survey_;
  Connection& connection_;
  std::uint32_t end_ = ~std::uint32_t{0};
  bool has_data_ = false;
};

/// What tshark followed: both kinds of a connection, told apart by which begins earlier.
struct Followed {
  std::vector<Chunk> clear, decrypted;
};

std::map<std::uint32_t, Followed> follow(const Tshark& tshark, const Survey& survey,
                                         const std::vector<Connection*>& connections) {
  std::vector<std::string> words{"-q"};
  for (const auto* connection : connections)
    for (const auto* kind : {"tcp", "tls"}) {
      words.emplace_back("-z");
      words.push_back(fmt::format("follow,{},yaml,{}", kind, connection->number));
    }
  std::map<std::uint32_t, Followed> all;
  for (auto& chunks : read_followed(tshark.ask(words).output)) {
    if (chunks.empty()) continue;
    for (const auto& chunk : chunks)
      if (chunk.packet >= survey.origins.size() || !survey.origins[chunk.packet].known)
        throw HarnessFault(fmt::format("tshark speaks of packet {}, which it had not told of before", chunk.packet));
    auto& [clear, decrypted] = all[survey.origins[chunks.front().packet].stream];
    // Octets of TCP are there before anything of TLS that they carry.
    if (!clear.empty() && clear.front().packet <= chunks.front().packet)
      decrypted = std::move(chunks);
    else
      decrypted = std::exchange(clear, std::move(chunks));
  }
  return all;
}

}  // namespace

std::optional<fs::path> tshark_program() {
  std::error_code ignored;
  for (const fs::path program : {"/usr/local/bin/tshark", "/usr/bin/tshark"})
    if (fs::exists(program, ignored)) return program;
  return std::nullopt;
}

Duration Capture::begin() const {
  std::optional<Duration> first;
  for (const auto& connection : connections)
    if (!connection.spoken.empty()) first = std::min(first.value_or(Duration::max()), connection.spoken.front().time);
  return first.value_or(Duration::zero());
}

Capture read_capture(const CaptureOptions& options) {
  check_file(options.file, "a capture, as tcpdump, dumpcap and Wireshark write it");
  if (!options.keys.empty()) check_keys(options.keys);
  const Tshark tshark(options);
  std::vector<std::string> words{"-Y", "tcp", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"};
  for (const auto* field : segment_fields) words.insert(words.end(), {"-e", field});
  const auto told = tshark.ask(words);
  if (told.code != 0 && told.output.empty())
    throw CaptureError(fmt::format("{}: {}", options.file.string(),
                                   told.complaint.empty() ? "tshark cannot read it" : told.complaint));
  const auto survey = survey_of(told.output, options.ports);
  Capture capture;
  capture.cut_short = told.code != 0;
  for (std::uint32_t number = 0; number < survey.streams.size(); ++number) {
    const auto& stream = survey.streams[number];
    if (!stream.has_octets) continue;
    if (!stream.is_xmpp) {
      ++capture.others;
      continue;
    }
    capture.connections.push_back({number, stream.opener, stream.listener, {}, {}});
    if (!stream.begun) capture.connections.back().unread = "it began before the capture";
  }
  std::vector<Connection*> readable;
  for (auto& connection : capture.connections)
    if (connection.unread.empty()) readable.push_back(&connection);
  for (std::size_t at = 0; at < readable.size(); at += followed_at_a_time) {
    const auto end = std::min(at + followed_at_a_time, readable.size());
    const std::vector<Connection*> some(readable.begin() + static_cast<std::ptrdiff_t>(at),
                                        readable.begin() + static_cast<std::ptrdiff_t>(end));
    auto followed = follow(tshark, survey, some);
    for (auto* connection : some) {
      auto& [clear, decrypted] = followed[connection->number];
      Joining joining(survey, *connection);
      joining.clear(std::move(clear));
      joining.decrypted(std::move(decrypted));
      joining.finish(!options.keys.empty());
    }
  }
  return capture;
}

}  // namespace cutover::harness

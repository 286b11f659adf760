// The members of an order in the sequence in which they are written and read.
#include "harness/running/order.h"

#include "harness/judging/registry.h"
#include "harness/judging/requirements.h"
#include "protocol/base/check.h"
#include "reports/json.h"

#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>

namespace cutover::harness {

namespace json = boost::json;

RunOptions run_options_of(const Job& job, const RunnerOptions& options) {
  RunOptions run;
  run.world = job.world;
  run.attempt = job.attempt;
  run.seed = case_seed(options.seed, job.record->id, job.attempt);
  run.replay = options.replay;
  if (options.replay.starts_with("seed:")) run.seed = std::stoull(options.replay.substr(5));
  run.strict = options.strict;
  run.detours = options.detours;
  run.depth = options.depth;
  run.planted = options.planted;
  run.watch = options.watch;
  run.planted.insert(job.planted.begin(), job.planted.end());
  run.peers = job.peers;
  return run;
}

std::string order_line(const Job& job, const RunnerOptions& options, int block) {
  json::array planted;
  for (const auto& name : options.planted) planted.emplace_back(name);
  for (const auto& name : job.planted) planted.emplace_back(name);
  json::array peers;
  for (const auto& [kind, which] : job.peers) peers.push_back({static_cast<int>(kind), which});
  return json::serialize(json::object{{"id", job.record->id},
                                      {"world", job.world == WorldKind::sim ? "sim" : "live"},
                                      {"attempt", job.attempt},
                                      {"planted", planted},
                                      {"watch", options.watch == departures::Watch::yes},
                                      {"seed", options.seed},
                                      {"replay", options.replay},
                                      {"strict", options.strict},
                                      {"detours", options.detours},
                                      {"depth", stimuli::name_of(options.depth)},
                                      {"block", block},
                                      {"peers", peers},
                                      {"target", options.target_file},
                                      {"started", options.started_file},
                                      {"topology", options.topology_file},
                                      {"catalogue", options.catalogue}}) +
         "\n";
}

Order OrderReader::read(const std::string& line) {
  const auto value = json::parse(line);
  const auto& order = value.as_object();
  const auto text = [&](const char* key) { return std::string(order.at(key).as_string()); };
  Job job{find_case(text("id")),
          text("world") == "sim" ? WorldKind::sim : WorldKind::live,
          order.at("attempt").to_number<int>(),
          {}};
  if (job.record == nullptr) throw HarnessFault("the worker knows no case " + text("id"));
  for (const auto& name : order.at("planted").as_array()) job.planted.insert(std::string(name.as_string()));
  for (const auto& dealt : order.at("peers").as_array())
    job.peers[static_cast<PartnerKind>(dealt.at(0).to_number<int>())] = dealt.at(1).to_number<std::size_t>();
  RunnerOptions shared;
  shared.seed = order.at("seed").to_number<std::uint64_t>();
  shared.replay = text("replay");
  shared.strict = order.at("strict").as_bool();
  shared.watch = order.at("watch").as_bool() ? departures::Watch::yes : departures::Watch::no;
  shared.detours = order.at("detours").to_number<std::size_t>();
  shared.depth = stimuli::depth_of(text("depth")).value_or(stimuli::Depth::covering);
  Order result{job.record, run_options_of(job, shared)};
  result.options.block = order.at("block").to_number<int>();
  if (const auto file = text("target"); !file.empty()) {
    const auto started = text("started");
    if (!target_ || target_->file != file || target_->one_server == started.empty())
      target_ = started.empty() ? load_target(file) : load_started(file, started);
    result.options.target = target_;
  }
  if (const auto file = text("topology"); file != topology_file_) {
    topology_ = load_topology(file);
    topology_file_ = file;
  }
  result.options.topology = topology_;
  result.options.topology_file = topology_file_;
  if (const auto folder = text("catalogue"); folder != catalogue_) {
    Catalogue::use(Catalogue::load(folder));
    catalogue_ = folder;
  }
  return result;
}

std::string answer_line(const reports::CaseResult& result) { return reports::case_to_json(result) + "\n"; }

reports::CaseResult read_answer(const std::string& line) { return reports::case_from_json(line); }

bool write_line(int descriptor, std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(descriptor, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace cutover::harness

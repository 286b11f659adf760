// The administrator of a box: asks its admin interface over HTTP, and waits for the answer.
#pragma once

#include "harness/deployment/deployment.h"
#include "mocks/raw_peer.h"

#include <string>
#include <string_view>

namespace cutover::suites {

/// What a deployment needs for it.
[[nodiscard]] harness::AdminPlan admin_plan();

struct AdminReply {
  int status = 0;  ///< 0: none came
  std::string body;
  [[nodiscard]] bool says(std::string_view text) const { return body.find(text) != std::string::npos; }
};

class Administrator {
 public:
  explicit Administrator(harness::Deployment&);
  /// `box`: "proxy" or "gateway"; a body is JSON.
  [[nodiscard]] AdminReply ask(const std::string& box, std::string_view method, std::string_view path,
                               const std::string& body = {});

 private:
  harness::Deployment& deployment_;
  mocks::RawPeer& peer_;
};

}  // namespace cutover::suites

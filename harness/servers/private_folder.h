// A folder for keys and passwords of a server that does not outlive this process, however that ends.
#pragma once

#include <filesystem>

namespace cutover::harness {

/// Made below the system's folder for temporary files, for nobody else to read; removed with this object. Where this
/// process is killed, a shell that waits for its end removes it; where that is killed too, the next one does.
class PrivateFolder {
 public:
  PrivateFolder();  ///< HarnessFault where it cannot be made
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  void appoint_heir();

  std::filesystem::path path_;
  int heir_ = -1;  ///< its process
  int line_ = -1;  ///< to it, of which nobody else has our end: where we are gone, the heir comes to know
};

}  // namespace cutover::harness

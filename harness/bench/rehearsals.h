// Plans of any size, for what a rehearsal costs as partners and classes of users grow.
#pragma once

#include <cstddef>
#include <string>

namespace cutover::harness {

/// The documents' migration of `users` in so many classes and two SIP domains, with partners of every kind, as YAML.
[[nodiscard]] std::string plan_of_size(std::size_t partners, std::size_t classes, std::size_t users);

/// What one rehearsal with its proposals takes, in seconds of processor time.
[[nodiscard]] double rehearsal_cpu_s(std::size_t partners, std::size_t classes, std::size_t users);

/// Schedules of every order over the model a minute of processor time.
[[nodiscard]] double model_schedules_per_minute();

}  // namespace cutover::harness

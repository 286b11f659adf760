// What a person types while a deployment is served: messages and presence by hand, the steps of the migration.
#pragma once

#include "harness/deployment/deployment.h"

#include <iosfwd>

namespace cutover::harness {

/// What is up in this process.
struct Served {
  World& world;
  const Topology& topology;
  std::map<std::string, mocks::PartnerDomain*> partners;  ///< by domain
  std::map<std::string, mocks::SipUser*> users;           ///< by name
  Deployment* deployment = nullptr;  ///< null where nodes are served one by one: then there are no steps
  std::size_t steps_done = 0;
};

class Commands {
 public:
  Commands(std::ostream& out, Served& served);
  /// Does what the line says, or says what was expected. False when the person asked for the end.
  [[nodiscard]] bool obey(const std::string& line);
  /// Prints what reached any user since the last call, and what became of what they sent.
  void tell_news();
  /// One line a command.
  void help() const;

 private:
  /// One user, ours or a partner's; one of the two pointers is set.
  struct Person {
    std::string name, address;  ///< "alice", "alice@contoso.example"
    mocks::SipUser* user = nullptr;
    mocks::PartnerDomain* partner = nullptr;
    std::size_t messages = 0, errors = 0, presences = 0;  ///< told already
  };
  [[nodiscard]] Person& person(const std::string& word);
  [[nodiscard]] std::string address(const std::string& word) const;
  void send(const std::string& from, const std::string& to, const std::string& text);
  void subscribe(const std::string& from, const std::string& to);
  void presence(const std::string& who, const std::string& what);
  void step();
  void undo();
  void state() const;
  void tell_news_of(Person&);

  std::ostream& out_;
  Served& served_;
  std::vector<Person> people_;
  std::map<std::pair<std::string, std::string>, std::size_t> watched_;  ///< our user, contact URI > NOTIFYs told
};

}  // namespace cutover::harness

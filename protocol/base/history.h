// What a node has seen, the newest of it: a peer that floods costs the oldest, never the memory of the machine.
#pragma once

#include "protocol/base/limits.h"

#include <utility>
#include <vector>

namespace cutover {

/// A list in order of arrival that drops its oldest quarter when it grows beyond its bounds. Its items have a function
/// octets_of() beside them, which need not be exact.
template <class T>
class History {
 public:
  /// True for the one that was the first to make older ones go: then somebody should be told.
  bool push_back(T item) {
    octets_ += octets_of(item);
    items_.push_back(std::move(item));
    if (!too_much()) return false;
    while (too_much() && items_.size() > 1) drop((items_.size() + 3) / 4);
    return !std::exchange(has_dropped_, true);
  }

  /// Puts one before all others: it overtook them.
  void push_front(T item) {
    octets_ += octets_of(item);
    items_.insert(items_.begin(), std::move(item));
  }

  [[nodiscard]] const std::vector<T>& items() const { return items_; }
  operator const std::vector<T>&() const { return items_; }  // it is read as the list that it is
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }
  [[nodiscard]] auto begin() { return items_.begin(); }
  [[nodiscard]] auto end() { return items_.end(); }
  [[nodiscard]] auto rbegin() const { return items_.rbegin(); }
  [[nodiscard]] auto rend() const { return items_.rend(); }
  [[nodiscard]] const T* data() const { return items_.data(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] const T& operator[](std::size_t index) const { return items_[index]; }
  [[nodiscard]] const T& front() const { return items_.front(); }
  [[nodiscard]] const T& back() const { return items_.back(); }

  /// How many are not there any more, and how many there ever were: the newest is number total() - 1.
  [[nodiscard]] std::size_t dropped() const { return dropped_; }
  [[nodiscard]] std::size_t total() const { return dropped_ + items_.size(); }
  [[nodiscard]] const T& number(std::size_t number) const { return items_[number - dropped_]; }

  void clear() { drop(items_.size()); }
  /// Takes one out.
  T take(typename std::vector<T>::const_iterator place) {
    octets_ -= octets_of(*place);
    const auto at = items_.begin() + (place - items_.cbegin());
    T item = std::move(*at);
    items_.erase(at);
    return item;
  }

  /// Takes out those of which the condition holds.
  template <class Condition>
  friend std::size_t erase_if(History& history, Condition condition) {
    const auto count = std::erase_if(history.items_, condition);
    history.octets_ = 0;
    for (const auto& item : history.items_) history.octets_ += octets_of(item);
    return count;
  }

 private:
  [[nodiscard]] bool too_much() const {
    return items_.size() > limits::history_items_max || octets_ > limits::history_size_max_octets;
  }
  void drop(std::size_t count) {
    const auto last = items_.begin() + static_cast<std::ptrdiff_t>(count);
    for (auto item = items_.begin(); item != last; ++item) octets_ -= octets_of(*item);
    items_.erase(items_.begin(), last);
    dropped_ += count;
  }

  std::vector<T> items_;
  std::size_t octets_ = 0, dropped_ = 0;
  bool has_dropped_ = false;
};

}  // namespace cutover

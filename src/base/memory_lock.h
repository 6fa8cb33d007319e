// Keeps memory from swap and from core files while something secret lies in it, as far as
// RLIMIT_MEMLOCK allows: a failure is not reported, for the value is as usable as before.
#pragma once

#include <cstddef>
#include <string>

namespace cnplay {

// What is locked is pages: each is unlocked with the last lock on it. Any thread.
class MemoryLock {
 public:
  MemoryLock(const void* begin, std::size_t size);
  // All of the text's capacity. The text must not grow while the lock lives.
  explicit MemoryLock(const std::string& text) : MemoryLock(text.data(), text.capacity() + 1) {}
  ~MemoryLock();
  MemoryLock(const MemoryLock&) = delete;
  MemoryLock& operator=(const MemoryLock&) = delete;

 private:
  std::size_t first_;  // number of a page
  std::size_t last_;
};

// Overwrites all of its capacity, and empties it: a short string lies in the object itself, and a
// move leaves its bytes.
void wipe(std::string& text);

}  // namespace cnplay

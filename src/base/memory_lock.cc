#include "base/memory_lock.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace cnplay {
namespace {

std::size_t page_size() {
  static const std::size_t size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

void* address_of(std::size_t page) { return reinterpret_cast<void*>(page * page_size()); }

// Never destroyed: secrets with static storage may outlive it.
struct Pages {
  std::mutex mutex;
  std::unordered_map<std::size_t, std::size_t> locks;
};
Pages& pages() {
  static auto* const all = new Pages;
  return *all;
}

}  // namespace

MemoryLock::MemoryLock(const void* begin, std::size_t size) {
  const auto at = reinterpret_cast<std::uintptr_t>(begin);
  first_ = at / page_size();
  last_ = (at + (size == 0 ? 0 : size - 1)) / page_size();
  Pages& all = pages();
  const std::lock_guard lock(all.mutex);
  for (std::size_t page = first_; page <= last_; ++page) {
    if (all.locks[page]++ != 0) continue;
    (void)::mlock(address_of(page), page_size());
    (void)::madvise(address_of(page), page_size(), MADV_DONTDUMP);
  }
}

MemoryLock::~MemoryLock() {
  Pages& all = pages();
  const std::lock_guard lock(all.mutex);
  for (std::size_t page = first_; page <= last_; ++page) {
    const auto found = all.locks.find(page);
    if (--found->second != 0) continue;
    all.locks.erase(found);
    (void)::munlock(address_of(page), page_size());
    (void)::madvise(address_of(page), page_size(), MADV_DODUMP);
  }
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace cnplay

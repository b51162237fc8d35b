#include "exporter/http/large_stack.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace vigia::http {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

constexpr std::size_t kStackBytes = 8 * 1024 * 1024;
constexpr std::size_t kGuardBytes = 64 * 1024;
// What of a stack keeps its memory between two uses: enough for any but deep recursion.
constexpr std::size_t kKeptBytes = 64 * 1024;

// Stacks that are not in use, so that a request does not pay for a mapping.
class StackPool {
 public:
  StackPool() { free_.reserve(kMostFree); }

  char* Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        char* const stack = free_.back();
        free_.pop_back();
        return stack;
      }
    }
    void* const memory = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    ::mprotect(memory, kGuardBytes, PROT_NONE);  // below the stack, which grows down
    return static_cast<char*>(memory);
  }

  void Return(char* stack) {
    ::madvise(stack + kGuardBytes, kStackBytes - kGuardBytes - kKeptBytes, MADV_DONTNEED);
    {
      const std::lock_guard lock(mutex_);
      if (free_.size() < kMostFree) return free_.push_back(stack);
    }
    ::munmap(stack, kStackBytes);
  }

 private:
  static constexpr std::size_t kMostFree = 8;

  std::mutex mutex_;
  std::vector<char*> free_;  // guarded by mutex_
};

StackPool& Stacks() {
  static auto* const pool = new StackPool;  // outlives the threads that use it
  return *pool;
}

struct Work {
  const std::function<void()>& run;
  std::exception_ptr thrown;

  void Do() noexcept {
    try {
      run();
    } catch (...) {
      thrown = std::current_exception();
    }
  }
};

// makecontext() passes ints: a pointer goes in two halves.
void Enter(unsigned high, unsigned low) {
  const auto address = std::uint64_t{high} << 32 | low;
  reinterpret_cast<Work*>(static_cast<std::uintptr_t>(address))->Do();
}

// Returns when the work is done. Apart, since to the compiler getcontext() may return twice.
[[gnu::noinline]] void SwitchTo(char* stack, Work& work) {
  ucontext_t here;
  ucontext_t there;
  ::getcontext(&there);
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = kStackBytes;
  there.uc_link = &here;
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&work));
  ::makecontext(&there, reinterpret_cast<void (*)()>(&Enter), 2,
                static_cast<unsigned>(address >> 32), static_cast<unsigned>(address));
  ::swapcontext(&here, &there);
}

void DoOnOwnStack(Work& work) {
  char* const stack = Stacks().Take();
  SwitchTo(stack, work);
  Stacks().Return(stack);
}

}  // namespace

void OnLargeStack(const std::function<void()>& work) {
  Work one{work, nullptr};
  if (kSanitized) {
    std::thread([&] { one.Do(); }).join();  // sanitizers want to be told of other stacks
  } else {
    DoOnOwnStack(one);
  }
  if (one.thrown) std::rethrow_exception(one.thrown);
}

}  // namespace vigia::http

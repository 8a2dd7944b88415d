// A compiler that is fit for Dictum compiles this, and the program ends with 0. GCC 12 destroys the temporaries of a
// co_await expression twice, without a warning.
#include <coroutine>
#include <utility>

namespace {

int alive = 0;

struct Counted {
  Counted() { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  ~Counted() { --alive; }
};

struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

struct Options {
  Counted counted;
  int number = 0;
};

struct Step {
  Counted counted;
  bool await_ready() { return true; }
  void await_suspend(std::coroutine_handle<>) {}
  void await_resume() {}
};

Step step(Options options) { return {std::move(options.counted)}; }

Task run() {
  co_await step(Options{.counted = Counted{}});
  co_await step({Counted{}, 1});
  co_await Step{};
}

}  // namespace

int main() {
  run();
  return alive == 0 ? 0 : 1;
}

// The terminal as the live view needs it, behind an interface, so that tests see each byte.
#pragma once

#include <cstddef>
#include <string_view>

namespace cnplay::report {

class Terminal {
 public:
  virtual ~Terminal() = default;
  // Everything or nothing that can be helped: a terminal that is gone is no error of the run.
  virtual void write(std::string_view bytes) = 0;
  // As of now, in columns and rows; asked before every redraw, so a resize needs no signal.
  virtual std::size_t width() const = 0;
  virtual std::size_t height() const = 0;
};

// A terminal on a descriptor (not owned). 80 x 24 if it does not say its size.
class SystemTerminal final : public Terminal {
 public:
  explicit SystemTerminal(int fd) : fd_(fd) {}
  void write(std::string_view bytes) override;
  std::size_t width() const override;
  std::size_t height() const override;

 private:
  int fd_;
};

}  // namespace cnplay::report

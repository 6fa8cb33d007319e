// A room's test program is built from its own support directory alone; the real sshd is that of
// the room below.
#include "support/ssh/sshd.cc"

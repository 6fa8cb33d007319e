// A room's test program is built from its own support directory alone; the real sshd, and the proxy
// before it, are those of the room below.
#include "support/ssh/proxy.cc"
#include "support/ssh/sshd.cc"

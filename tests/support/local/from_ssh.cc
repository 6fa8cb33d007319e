// A room's test program is built from its own support directory alone; what makes the face of a
// connection synchronous is that of the room beside it.
#include "support/ssh/client.cc"

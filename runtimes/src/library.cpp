// A library needs one source of its own; everything else is in its objects.
#include "resemote/runtime.h"

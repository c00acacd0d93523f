#include "resemote/runtime.h"

/* Something to compile. */
uint32_t header_abi_version(void);
uint32_t header_abi_version(void) { return RESEMOTE_ABI_VERSION; }

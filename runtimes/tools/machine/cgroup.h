// Control group: the share of the machine that this process was given, under cgroup v1 and v2.
#pragma once

#include "machine/system.h"

namespace resemote_tools {

// Cores' worth of time that the group, or one above it, may use.
Maybe<double> cpu_quota_cores(const System& system);
Maybe<long long> memory_limit_bytes(const System& system);
// Time for which quotas held back the group and those above it, in seconds.
Maybe<double> throttled_seconds(const System& system);

}  // namespace resemote_tools

// How often operator new was called in this process.
#pragma once

long allocations();

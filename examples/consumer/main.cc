// Placeholder until the library has its public headers.

#include "absl/log/check.h"

int main() { CHECK(true); }

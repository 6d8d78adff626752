// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: registry_conformance.h
// -----------------------------------------------------------------------------
//
// What every `Registry` has to do, as tests that run against any of them.
//
// A backend that is made from a `Runtime&` takes one line of its BUILD file:
// see registry_conformance_test.bzl, which writes the only call there is of
//
//   const bool registered = RegisterConformanceTests<MyNames>("my::MyNames");
//
// For one that needs more than the runtime, derive a class for the test that
// adds the rest in its constructor.
//
// Thread safety: none is needed; tests run one after another.

#ifndef REGISTRY_REGISTRY_CONFORMANCE_H_
#define REGISTRY_REGISTRY_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "common/process/runtime.h"
#include "registry/registry.h"

namespace ets_keeper::registry {

// RegistryFactory
//
// Makes the backend under test for the processes of a runtime, which outlives
// it.
using RegistryFactory = std::function<std::unique_ptr<Registry>(Runtime&)>;

// ConformanceCase
//
// One thing that must be true of a backend. `check` makes a runtime and a
// backend of its own, and reports to googletest what is not true.
struct ConformanceCase {
  std::string_view name;
  void (*check)(const RegistryFactory& make);
};

// ConformanceCases()
//
// All of them.
[[nodiscard]] const std::vector<ConformanceCase>& ConformanceCases();

// RegisterConformanceTests()
//
// Adds one test per case to the program, in the suite `RegistryConformance`.
// Returns true, so that a variable's initializer can call it.
bool RegisterConformanceTests(std::string_view backend,
                              const RegistryFactory& make);
template <typename Backend>
bool RegisterConformanceTests(std::string_view backend) {
  return RegisterConformanceTests(backend, [](Runtime& runtime) {
    return std::make_unique<Backend>(runtime);
  });
}

}  // namespace ets_keeper::registry

#endif  // REGISTRY_REGISTRY_CONFORMANCE_H_

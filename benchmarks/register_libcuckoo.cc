// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "benchmarks/libcuckoo_peer.h"
#include "benchmarks/peer_registry.h"

namespace ets_keeper::benchmarks {
namespace {

const bool kAdded[] = {AddPeer<LibcuckooPeer>("libcuckoo"),
                       AddPeer<SizedLibcuckooPeer>("libcuckoo_sized")};

}  // namespace
}  // namespace ets_keeper::benchmarks

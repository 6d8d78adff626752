// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0

#include "common/hash/hash_find.h"

#include "common/hash/hash_key.h"
#include "common/hash/hash_layout.h"
#include "common/hash/hash_match.h"

namespace ets_keeper {
namespace {

#ifdef ETS_KEEPER_VECTORS

// Flattened, so that the comparison becomes part of them although only they
// may use those instructions.
ETS_KEEPER_AVX2 __attribute__((flatten)) void FindKeyAvx2(
    const HashGeometry& geometry, const HashKey& key, HashPlace* place) {
  FindKey<MatchAvx2>(geometry, key, place);
}

ETS_KEEPER_AVX512 __attribute__((flatten)) void FindKeyAvx512(
    const HashGeometry& geometry, const HashKey& key, HashPlace* place) {
  FindKey<MatchAvx512>(geometry, key, place);
}

#endif

}  // namespace

void FindKeyWith(InstructionSet instructions, const HashGeometry& geometry,
                 const HashKey& key, HashPlace* place) {
#ifdef ETS_KEEPER_VECTORS
  if (instructions == InstructionSet::kAvx512) {
    return FindKeyAvx512(geometry, key, place);
  }
  if (instructions == InstructionSet::kAvx2) {
    return FindKeyAvx2(geometry, key, place);
  }
#endif
  (void)instructions;
  FindKey<MatchScalar>(geometry, key, place);
}

}  // namespace ets_keeper

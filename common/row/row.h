// Copyright 2026 The ets_keeper Authors
// SPDX-License-Identifier: Apache-2.0
//
// -----------------------------------------------------------------------------
// File: row.h
// -----------------------------------------------------------------------------
//
// Rows of a table: everything public about them.
//
//   fields.h      how a row type lists its fields: `Field`, `FieldList`
//   value_type.h  which types they may have
//   codec.h       rows to words and back: `RowCodec`
//   layout.h      what the words mean
//   row_buffer.h  where an encoded row is kept: `RowBuffer`
//   schema.h      a row type without the type: `Schema`
//   format_row.h  printing: `FormatRow()`
//
// A core that needs nothing but the place of a key includes `layout.h` alone.

#ifndef COMMON_ROW_ROW_H_
#define COMMON_ROW_ROW_H_

#include "common/row/codec.h"       // IWYU pragma: export
#include "common/row/fields.h"      // IWYU pragma: export
#include "common/row/format_row.h"  // IWYU pragma: export
#include "common/row/layout.h"      // IWYU pragma: export
#include "common/row/row_buffer.h"  // IWYU pragma: export
#include "common/row/schema.h"      // IWYU pragma: export
#include "common/row/value_type.h"  // IWYU pragma: export

#endif  // COMMON_ROW_ROW_H_

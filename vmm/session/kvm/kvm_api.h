// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#pragma GCC system_header // the kernel's structures are no ISO C++

// The kernel's header, to be included through here only. Those of Linux 6.1 to 6.4 declare arrays of unknown length
// behind an empty structure, which has a size in C++: structures come out too long and the numbers of requests wrong.
// Later ones do as here (Linux, include/uapi/linux/stddef.h).
#include <linux/stddef.h>
#undef __DECLARE_FLEX_ARRAY
#define __DECLARE_FLEX_ARRAY(TYPE, NAME) TYPE NAME[0]

#include <linux/kvm.h>

static_assert(sizeof(kvm_cpuid2) == 8 && sizeof(kvm_msrs) == 8 && sizeof(kvm_xsave) == 4096);

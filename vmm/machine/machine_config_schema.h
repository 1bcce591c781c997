// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/machine/machine_config.h"

#include <span>
#include <string>
#include <string_view>

namespace namsan {

// One field of a MachineConfig, for everybody who shows, reads or writes configurations: the command line, files, the
// editor and the run record are all made from these descriptions, so they can't disagree.
struct ConfigField {
    enum class Kind {
        Text,
        File, // path of a file that is read
        Size, // bytes, written with K, M or G
        Number,
        Choice, // one of few words; further ones may be allowed
        Switch, // true or false
    };

    Kind kind;
    std::string_view label; // for people: "Memory"
    std::string_view key; // in files and records, snake_case: "memory"
    std::string_view option; // on the command line: "--memory"; of a switch that is on by default, what turns it off
    std::string_view valueName; // in help: "SIZE"; empty for switches
    std::string_view unit; // empty where there is none
    std::string_view range; // what is allowed, in words
    std::string_view help; // one sentence

    // Takes the field's value from text, or fails with a sentence and leaves the configuration as it was.
    Result<void> (*parse)(MachineConfig&, std::string_view text);
    // The value as parse() takes it.
    std::string (*format)(const MachineConfig&);
    // Any number of values, none by default: parse() takes and format() gives them one a line; the option is repeated.
    bool repeatable = false;

    std::string defaultText() const { return format(MachineConfig {}); }
};

// All fields, in the order in which people think of them.
std::span<const ConfigField> machineConfigSchema();

// The field with this key, or nullptr.
const ConfigField* findConfigField(std::string_view key);

} // namespace namsan

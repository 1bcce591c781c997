// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/mp_table.h"

#include "vmm/firmware/little_endian.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>

namespace namsan {

TEST(MpTable, ListsProcessorsBusesAndInterrupts)
{
    const auto memory = std::move(*GuestMemory::create(2 << 20));
    writeMpTable(*memory, { .processors = 3, .signature = 0x6d8, .features = 0x201 });
    std::vector<uint8_t> pointer(16);
    memory->read(0xf0000, pointer);
    EXPECT_EQ(std::string(pointer.begin(), pointer.begin() + 4), "_MP_");
    EXPECT_EQ(std::accumulate(pointer.begin(), pointer.end(), 0) & 0xff, 0);

    std::vector<uint8_t> header(44);
    const PhysicalAddress address = littleEndianAt<uint32_t>(pointer, 4);
    memory->read(address, header);
    std::vector<uint8_t> table(littleEndianAt<uint16_t>(header, 4));
    memory->read(address, table);
    EXPECT_EQ(std::string(table.begin(), table.begin() + 4), "PCMP");
    EXPECT_EQ(std::accumulate(table.begin(), table.end(), 0) & 0xff, 0);

    std::map<unsigned, unsigned> entries;
    unsigned count = 0;
    for (size_t offset = 44; offset < table.size(); ++count) {
        ++entries[table[offset]];
        if (table[offset] == 0) {
            EXPECT_EQ(table[offset + 3], table[offset + 1] == 0 ? 3 : 1); // the boot processor's bit
            EXPECT_EQ(littleEndianAt<uint32_t>(table, offset + 4), 0x6d8u);
        }
        constexpr uint8_t inta3 = 3 << 2; // INTA# of PCI device 3, as a source
        if (table[offset] == 3 && table[offset + 4] == 0 && table[offset + 5] == inta3) {
            EXPECT_EQ(table[offset + 7], 18);
        }
        offset += table[offset] == 0 ? 20 : 8;
    }
    EXPECT_EQ(count, littleEndianAt<uint16_t>(table, 34));
    EXPECT_EQ(entries[0], 3u);
    EXPECT_EQ(entries[1], 2u);
    EXPECT_EQ(entries[2], 1u);
    EXPECT_EQ(entries[3], 1 + 15 + 31 * 4u);
    EXPECT_EQ(entries[4], 2u);
}

} // namespace namsan

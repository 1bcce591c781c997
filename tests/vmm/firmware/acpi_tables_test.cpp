// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/acpi_tables.h"

#include "vmm/firmware/little_endian.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

namespace namsan {

class AcpiTablesTest : public ::testing::Test {
protected:
    using Bytes = std::vector<uint8_t>;

    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(2 << 20));
    const PhysicalAddress rsdp = writeAcpiTables(*memory);

    Bytes read(PhysicalAddress address, size_t size)
    {
        Bytes bytes(size);
        memory->read(address, bytes);
        return bytes;
    }
    Bytes table(PhysicalAddress address)
    {
        const uint32_t length = littleEndianAt<uint32_t>(read(address, 8), 4);
        EXPECT_LT(length, 0x10000u);
        return read(address, length);
    }
    static int sum(const Bytes& bytes) { return std::accumulate(bytes.begin(), bytes.end(), 0) & 0xff; }
    static std::string signature(const Bytes& bytes) { return std::string(bytes.begin(), bytes.begin() + 4); }

    Bytes rootTable() { return table(littleEndianAt<uint32_t>(read(rsdp, 20), 16)); }
    Bytes fixedTable() { return table(littleEndianAt<uint32_t>(rootTable(), 36)); }
};

TEST_F(AcpiTablesTest, LiesWhereASystemWithoutTheBootParameterLooks)
{
    EXPECT_GE(rsdp, 0xe0000u);
    EXPECT_LT(rsdp, 0x100000u);
    EXPECT_EQ(rsdp % 16, 0u);
    const Bytes pointer = read(rsdp, 20);
    EXPECT_EQ(std::string(pointer.begin(), pointer.begin() + 8), "RSD PTR ");
    EXPECT_EQ(sum(pointer), 0);
}

TEST_F(AcpiTablesTest, ChainsTablesWithRightSums)
{
    EXPECT_EQ(signature(rootTable()), "RSDT");
    EXPECT_EQ(sum(rootTable()), 0);
    const Bytes fixed = fixedTable();
    EXPECT_EQ(signature(fixed), "FACP");
    EXPECT_EQ(fixed.size(), 244u);
    EXPECT_EQ(sum(fixed), 0);
    const Bytes dsdt = table(littleEndianAt<uint32_t>(fixed, 40));
    EXPECT_EQ(signature(dsdt), "DSDT");
    EXPECT_EQ(sum(dsdt), 0);
    const PhysicalAddress facs = littleEndianAt<uint32_t>(fixed, 36);
    EXPECT_EQ(facs % 64, 0u);
    EXPECT_EQ(signature(read(facs, 64)), "FACS");
}

TEST_F(AcpiTablesTest, NamesTheRegistersOfTheBoard)
{
    const Bytes fixed = fixedTable();
    EXPECT_EQ(littleEndianAt<uint16_t>(fixed, 46), 9);
    EXPECT_EQ(littleEndianAt<uint32_t>(fixed, 48), 0xb2u);
    EXPECT_EQ(littleEndianAt<uint32_t>(fixed, 56), 0x600u);
    EXPECT_EQ(littleEndianAt<uint32_t>(fixed, 64), 0x604u);
    EXPECT_EQ(littleEndianAt<uint32_t>(fixed, 76), 0x608u);
    EXPECT_TRUE(littleEndianAt<uint32_t>(fixed, 112) & 1 << 10); // RESET_REG_SUP
    EXPECT_EQ(littleEndianAt<uint64_t>(fixed, 120), 0xcf9u);
    EXPECT_EQ(fixed[128], 6);
    // The old and the extended addresses agree.
    EXPECT_EQ(littleEndianAt<uint64_t>(fixed, 152), 0x600u);
    EXPECT_EQ(littleEndianAt<uint64_t>(fixed, 176), 0x604u);
    EXPECT_EQ(littleEndianAt<uint64_t>(fixed, 212), 0x608u);
}

TEST_F(AcpiTablesTest, OffersSoftOffAndAPciRoot)
{
    const Bytes dsdt = table(littleEndianAt<uint32_t>(fixedTable(), 40));
    const auto holds = [&](const Bytes& part) {
        return std::search(dsdt.begin(), dsdt.end(), part.begin(), part.end()) != dsdt.end();
    };
    EXPECT_TRUE(holds({ '_', 'S', '5', '_', 0x12 }));
    EXPECT_TRUE(holds({ 0x0c, 0x41, 0xd0, 0x0a, 0x03 })); // PNP0A03
    EXPECT_TRUE(holds({ '_', 'P', 'R', 'T', 0, 0xa0 })); // a method that begins with If
    EXPECT_TRUE(holds({ '_', 'P', 'I', 'C', 1, 0x70, 0x68, '\\', 'A', 'P', 'I', 'C' }));
    // INTA# of slot 1: global interrupt 16, or IRQ 10; of slot 3: 18 or 11.
    EXPECT_TRUE(holds({ 0x12, 0x0b, 4, 0x0c, 0xff, 0xff, 1, 0, 0, 0, 0x0a, 16 }));
    EXPECT_TRUE(holds({ 0x12, 0x0b, 4, 0x0c, 0xff, 0xff, 1, 0, 0, 0, 0x0a, 10 }));
    EXPECT_TRUE(holds({ 0x12, 0x0b, 4, 0x0c, 0xff, 0xff, 3, 0, 0, 0, 0x0a, 18 }));
    EXPECT_TRUE(holds({ 0x12, 0x0b, 4, 0x0c, 0xff, 0xff, 3, 0, 0, 0, 0x0a, 11 }));
}

TEST_F(AcpiTablesTest, HasNoMadtWithoutApics)
{
    EXPECT_EQ(rootTable().size(), 40u);
}

TEST_F(AcpiTablesTest, ListsTheApicsOfAllProcessors)
{
    const PhysicalAddress pointer = writeAcpiTables(*memory, { .processors = 4 });
    const Bytes root = table(littleEndianAt<uint32_t>(read(pointer, 20), 16));
    ASSERT_EQ(root.size(), 44u);
    const Bytes madt = table(littleEndianAt<uint32_t>(root, 40));
    EXPECT_EQ(signature(madt), "APIC");
    EXPECT_EQ(sum(madt), 0);
    EXPECT_EQ(littleEndianAt<uint32_t>(madt, 36), 0xfee00000u);
    std::vector<unsigned> types;
    for (size_t offset = 44; offset < madt.size(); offset += madt[offset + 1]) {
        ASSERT_GE(madt[offset + 1], 6);
        types.push_back(madt[offset]);
    }
    EXPECT_EQ(types, (std::vector<unsigned> { 0, 0, 0, 0, 1, 2, 2, 4 }));
}

} // namespace namsan

// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/interrupt/dual_pic.h"

#include "tests/support/bare_board.h"

#include <gtest/gtest.h>

namespace namsan {

class DualPicTest : public ::testing::Test {
protected:
    static constexpr Port masterCommand = 0x20, masterData = 0x21, slaveCommand = 0xa0, slaveData = 0xa1;
    static constexpr uint8_t nonSpecificEoi = 0x20, specificEoi = 0x60;

    BareBoard board;
    DualPic pic { board.ports(), board.interrupts() };

    void SetUp() override { initialize(0x01); }

    // As Linux and the AT's firmware do it: vectors 30-37 and 38-3F, all unmasked.
    void initialize(uint8_t icw4)
    {
        board.out(masterCommand, 0x11);
        board.out(masterData, 0x30);
        board.out(masterData, 0x04);
        board.out(masterData, icw4);
        board.out(slaveCommand, 0x11);
        board.out(slaveData, 0x38);
        board.out(slaveData, 0x02);
        board.out(slaveData, icw4);
    }
    void raise(unsigned input) { pic.setInterruptInput(input, true); }
    void lower(unsigned input) { pic.setInterruptInput(input, false); }
    void edge(unsigned input)
    {
        lower(input);
        raise(input);
    }
    uint8_t inService(Port command)
    {
        board.out(command, 0x0b);
        return board.in(command);
    }
    uint8_t requests(Port command)
    {
        board.out(command, 0x0a);
        return board.in(command);
    }
};

TEST_F(DualPicTest, TakesARequestToTheProcessorAndBack)
{
    EXPECT_FALSE(pic.interruptRequested());
    raise(4);
    EXPECT_TRUE(pic.interruptRequested());
    EXPECT_TRUE(board.interrupts().level(0)) << "the processor's pin";
    EXPECT_EQ(requests(masterCommand), 0x10);
    EXPECT_EQ(pic.acknowledge(), 0x34);
    EXPECT_FALSE(pic.interruptRequested());
    EXPECT_FALSE(board.interrupts().level(0));
    EXPECT_EQ(requests(masterCommand), 0);
    EXPECT_EQ(inService(masterCommand), 0x10);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(inService(masterCommand), 0);
}

TEST_F(DualPicTest, NeedsANewEdgeForANewRequest)
{
    raise(4);
    pic.acknowledge();
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_FALSE(pic.interruptRequested());
    edge(4);
    EXPECT_TRUE(pic.interruptRequested());
}

TEST_F(DualPicTest, RemembersAnEdgeWhileTheInputIsInService)
{
    edge(0);
    pic.acknowledge();
    edge(0);
    edge(0);
    EXPECT_FALSE(pic.interruptRequested());
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(pic.acknowledge(), 0x30);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_FALSE(pic.interruptRequested()) << "two edges before an acknowledgement are one request";
}

TEST_F(DualPicTest, ServesHigherPrioritiesFirstAndNestsThem)
{
    raise(6);
    raise(3);
    EXPECT_EQ(pic.acknowledge(), 0x33);
    EXPECT_FALSE(pic.interruptRequested()) << "6 waits for 3";
    raise(1);
    EXPECT_EQ(pic.acknowledge(), 0x31);
    EXPECT_EQ(inService(masterCommand), 0x0a);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(inService(masterCommand), 0x08) << "the highest in service is ended";
    EXPECT_FALSE(pic.interruptRequested());
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(pic.acknowledge(), 0x36);
}

TEST_F(DualPicTest, MasksHoldBackButDoNotForget)
{
    board.out(masterData, 0x10);
    EXPECT_EQ(board.in(masterData), 0x10);
    raise(4);
    EXPECT_FALSE(pic.interruptRequested());
    EXPECT_EQ(requests(masterCommand), 0x10);
    board.out(masterData, 0);
    EXPECT_EQ(pic.acknowledge(), 0x34);
}

TEST_F(DualPicTest, PassesTheSlavesRequestsThroughInputTwo)
{
    raise(12);
    EXPECT_EQ(requests(slaveCommand), 0x10);
    EXPECT_EQ(requests(masterCommand), 0x04);
    EXPECT_EQ(pic.acknowledge(), 0x3c);
    EXPECT_EQ(inService(masterCommand), 0x04);
    EXPECT_EQ(inService(slaveCommand), 0x10);
    raise(14);
    EXPECT_FALSE(pic.interruptRequested());
    board.out(slaveCommand, nonSpecificEoi);
    EXPECT_FALSE(pic.interruptRequested()) << "the master still serves its input 2";
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(pic.acknowledge(), 0x3e);
}

TEST_F(DualPicTest, RanksTheSlavesInputsBetweenOneAndThree)
{
    raise(3);
    raise(15);
    raise(1);
    EXPECT_EQ(pic.acknowledge(), 0x31);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(pic.acknowledge(), 0x3f);
    board.out(slaveCommand, nonSpecificEoi);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(pic.acknowledge(), 0x33);
}

TEST_F(DualPicTest, SecondRequestOfTheSlaveFollowsTheFirst)
{
    raise(9);
    raise(10);
    EXPECT_EQ(pic.acknowledge(), 0x39);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_FALSE(pic.interruptRequested());
    board.out(slaveCommand, nonSpecificEoi);
    EXPECT_EQ(pic.acknowledge(), 0x3a);
}

TEST_F(DualPicTest, SpeciallyNestedMasterLetsTheSlaveInterruptItself)
{
    raise(12);
    pic.acknowledge();
    raise(8);
    EXPECT_FALSE(pic.interruptRequested());

    lower(12);
    lower(8);
    initialize(0x11);
    raise(12);
    EXPECT_EQ(pic.acknowledge(), 0x3c);
    raise(14);
    EXPECT_FALSE(pic.interruptRequested());
    raise(8);
    EXPECT_TRUE(pic.interruptRequested());
    EXPECT_EQ(pic.acknowledge(), 0x38);
    raise(3);
    EXPECT_FALSE(pic.interruptRequested()) << "the mode is for the slave's input only";
}

TEST_F(DualPicTest, AnswersSpuriousRequestsWithTheLowestInput)
{
    EXPECT_EQ(pic.acknowledge(), 0x37);
    EXPECT_EQ(inService(masterCommand), 0) << "a spurious IRQ 7 needs no end of interrupt";

    board.out(0x4d0, 0x20);
    raise(5);
    EXPECT_TRUE(pic.interruptRequested());
    lower(5);
    EXPECT_FALSE(pic.interruptRequested());
    EXPECT_EQ(pic.acknowledge(), 0x37);
}

TEST_F(DualPicTest, ASpuriousSlaveRequestIsIrq15AndServedByTheMaster)
{
    board.out(0x4d1, 0x08);
    raise(11);
    lower(11);
    EXPECT_EQ(pic.acknowledge(), 0x3f);
    EXPECT_EQ(inService(slaveCommand), 0);
    EXPECT_EQ(inService(masterCommand), 0x04);
}

TEST_F(DualPicTest, LevelInputsAskUntilTheyAreLow)
{
    board.out(0x4d1, 0x08);
    EXPECT_EQ(board.in(0x4d1), 0x08);
    raise(11);
    EXPECT_EQ(pic.acknowledge(), 0x3b);
    board.out(slaveCommand, nonSpecificEoi);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_TRUE(pic.interruptRequested());
    EXPECT_EQ(pic.acknowledge(), 0x3b);
    lower(11);
    board.out(slaveCommand, nonSpecificEoi);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_FALSE(pic.interruptRequested());
}

TEST_F(DualPicTest, SomeInputsAreAlwaysEdges)
{
    board.out(0x4d0, 0xff);
    board.out(0x4d1, 0xff);
    EXPECT_EQ(board.in(0x4d0), 0xf8);
    EXPECT_EQ(board.in(0x4d1), 0xde);
    raise(0);
    pic.acknowledge();
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_FALSE(pic.interruptRequested());
}

TEST_F(DualPicTest, EndsAutomaticallyWhenToldTo)
{
    initialize(0x03);
    raise(13);
    EXPECT_EQ(pic.acknowledge(), 0x3d);
    EXPECT_EQ(inService(masterCommand), 0);
    EXPECT_EQ(inService(slaveCommand), 0);
    raise(14);
    EXPECT_EQ(pic.acknowledge(), 0x3e);
}

TEST_F(DualPicTest, RotatesWithAutomaticEnd)
{
    initialize(0x03);
    board.out(masterCommand, 0x80);
    raise(3);
    EXPECT_EQ(pic.acknowledge(), 0x33); // 3 is the lowest now
    edge(3);
    raise(7);
    EXPECT_EQ(pic.acknowledge(), 0x37);
    edge(7);
    EXPECT_EQ(pic.acknowledge(), 0x33);
    board.out(masterCommand, 0x00);
    EXPECT_EQ(pic.acknowledge(), 0x37);
    edge(7);
    edge(4);
    EXPECT_EQ(pic.acknowledge(), 0x34) << "3 stays the lowest once rotation is off";
}

TEST_F(DualPicTest, RotatesOnEndOfInterrupt)
{
    raise(4);
    pic.acknowledge();
    board.out(masterCommand, 0xa0); // 4 becomes the lowest
    edge(4);
    raise(5);
    raise(3);
    EXPECT_EQ(pic.acknowledge(), 0x35);
    board.out(masterCommand, 0xe0 | 5); // specific: 5 becomes the lowest
    EXPECT_EQ(pic.acknowledge(), 0x33);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(pic.acknowledge(), 0x34);
}

TEST_F(DualPicTest, SetsPrioritiesAndEndsOneLevel)
{
    board.out(masterCommand, 0xc0 | 5); // 6 is the highest
    raise(0);
    raise(6);
    EXPECT_EQ(pic.acknowledge(), 0x36);
    EXPECT_FALSE(pic.interruptRequested());
    board.out(masterCommand, specificEoi | 3);
    EXPECT_EQ(inService(masterCommand), 0x40);
    board.out(masterCommand, 0x40); // no operation
    EXPECT_EQ(inService(masterCommand), 0x40);
    board.out(masterCommand, specificEoi | 6);
    EXPECT_EQ(pic.acknowledge(), 0x30);
}

TEST_F(DualPicTest, SpecialMaskModeLetsLowerPrioritiesThrough)
{
    raise(1);
    pic.acknowledge();
    raise(6);
    board.out(masterData, 0x02);
    EXPECT_FALSE(pic.interruptRequested());
    board.out(masterCommand, 0x68);
    EXPECT_TRUE(pic.interruptRequested());
    EXPECT_EQ(pic.acknowledge(), 0x36);
    board.out(masterCommand, nonSpecificEoi);
    EXPECT_EQ(inService(masterCommand), 0x02) << "a masked level is not ended by the non-specific command";
    edge(6);
    EXPECT_TRUE(pic.interruptRequested());
    board.out(masterCommand, 0x08);
    EXPECT_TRUE(pic.interruptRequested()) << "without its enable bit, the mode stays";
    board.out(masterCommand, 0x48);
    EXPECT_FALSE(pic.interruptRequested());
}

TEST_F(DualPicTest, CanBePolled)
{
    board.out(masterCommand, 0x0c);
    EXPECT_EQ(board.in(masterCommand)&0x80, 0);
    raise(4);
    board.out(masterCommand, 0x0c);
    EXPECT_EQ(board.in(masterCommand), 0x84);
    EXPECT_EQ(inService(masterCommand), 0x10);
    EXPECT_FALSE(pic.interruptRequested());
    raise(1);
    board.out(masterCommand, 0x0c);
    EXPECT_EQ(board.in(masterData), 0x81) << "the next read of either port";
    EXPECT_EQ(board.in(masterData), 0) << "and no further one";
}

TEST_F(DualPicTest, InitializationForgetsEdgesMasksAndService)
{
    board.out(masterData, 0xf0);
    raise(1);
    raise(5);
    pic.acknowledge();
    board.out(masterCommand, 0x11);
    EXPECT_EQ(requests(masterCommand), 0);
    EXPECT_EQ(inService(masterCommand), 0);
    board.out(masterData, 0x50);
    board.out(masterData, 0x04);
    board.out(masterData, 0x01);
    EXPECT_EQ(board.in(masterData), 0);
    EXPECT_FALSE(pic.interruptRequested()) << "an input that was high needs a new edge";
    edge(5);
    EXPECT_EQ(pic.acknowledge(), 0x55);
}

TEST_F(DualPicTest, SkipsTheInitializationWordsThatIcw1DoesWithout)
{
    board.out(masterCommand, 0x12); // single, no ICW4
    board.out(masterData, 0x47);
    board.out(masterData, 0xfb);
    EXPECT_EQ(board.in(masterData), 0xfb) << "after ICW2 comes the mask";
    edge(12);
    EXPECT_EQ(pic.acknowledge(), 0x42) << "single: input 2 is one like the others, the vector's low bits the input's";
}

TEST_F(DualPicTest, ASlaveWithAnotherNumberDoesNotAnswer)
{
    board.out(slaveCommand, 0x11);
    board.out(slaveData, 0x38);
    board.out(slaveData, 0x05);
    board.out(slaveData, 0x01);
    raise(9);
    EXPECT_EQ(pic.acknowledge(), 0xff);
}

TEST_F(DualPicTest, HasNoWireForTheCascadeOrForInputsBeyond15)
{
    raise(2);
    raise(16);
    raise(4000);
    EXPECT_FALSE(pic.interruptRequested());
    EXPECT_EQ(requests(masterCommand), 0);
}

TEST_F(DualPicTest, ResetGoesBackToTheStateAfterConstruction)
{
    board.out(0x4d0, 0x20);
    raise(5);
    ASSERT_TRUE(pic.interruptRequested());
    pic.reset();
    EXPECT_FALSE(pic.interruptRequested());
    EXPECT_EQ(board.in(0x4d0), 0);
    lower(5);
    BareBoard fresh;
    DualPic other(fresh.ports(), fresh.interrupts());
    EXPECT_EQ(board.save(pic), fresh.save(other));
}

TEST_F(DualPicTest, ComesBackFromASnapshot)
{
    board.out(masterData, 0x01);
    board.out(slaveData, 0x02);
    raise(12);
    pic.acknowledge();
    raise(1);
    const Snapshot snapshot = board.save(pic);

    BareBoard elsewhere;
    DualPic other(elsewhere.ports(), elsewhere.interrupts());
    ASSERT_TRUE(elsewhere.restore(other, snapshot));
    EXPECT_TRUE(elsewhere.interrupts().level(0));
    EXPECT_EQ(other.acknowledge(), 0x31);
    EXPECT_EQ(elsewhere.in(masterData), 0x01);
    EXPECT_EQ(elsewhere.in(slaveData), 0x02);
    elsewhere.out(slaveCommand, 0x0b);
    EXPECT_EQ(elsewhere.in(slaveCommand), 0x10);
}

TEST_F(DualPicTest, RefusesDamagedSnapshotsAndKeepsItsState)
{
    raise(4);
    const Snapshot snapshot = board.save(pic);
    for (size_t length = 0; length < snapshot.size(); ++length)
        EXPECT_FALSE(board.restore(pic, Snapshot(snapshot.begin(), snapshot.begin() + static_cast<long>(length))));
    Snapshot damaged = snapshot;
    damaged[5] = 8; // an input of lowest priority that does not exist
    EXPECT_FALSE(board.restore(pic, damaged));
    damaged = snapshot;
    damaged[8] = 4; // a fifth initialization word
    EXPECT_FALSE(board.restore(pic, damaged));
    damaged = snapshot;
    damaged[2] = 0x01; // a level-triggered timer
    EXPECT_FALSE(board.restore(pic, damaged));
    EXPECT_EQ(pic.acknowledge(), 0x34);
}

} // namespace namsan

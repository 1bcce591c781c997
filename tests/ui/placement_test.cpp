// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/window_with_machine.h"

#include "ui/placement/placement_dock.h"

#include <QAction>
#include <QToolButton>

namespace namsan {

namespace {

const Placement apart { 0, { 1 } };

} // namespace

// The dock asks a real controller, and that the host of the test; only CPU 0 is sure to be allowed everywhere.
class PlacementTest : public WindowTest {
protected:
    PlacementTest()
    {
        window->machine().start();
        settle();
        connectLog();
    }

    void connectLog()
    {
        QObject::connect(&window->machine(), &MachineController::placementChanged, window.get(),
            [this](const Placement& placement) { placements.push_back(placement); });
    }

    PlacementDock& dock() { return window->placementDock(); }
    PlacementView& view() { return dock().view(); }
    ThreadChip& vcpu() { return *view().chip(1); }

    void dragTo(ThreadChip& chip, QPoint target) { dragBy(chip, target - chip.geometry().center()); }

    std::vector<Placement> placements;
};

TEST_F(PlacementTest, AChipMovesByMouse)
{
    dragTo(vcpu(), view().cell(1)->geometry().center());
    ASSERT_EQ(machine->placement(), (Placement { std::nullopt, { 1 } }));
    settle();
    EXPECT_TRUE(view().cell(1)->geometry().contains(vcpu().geometry().center()));
    EXPECT_TRUE(view().cell(1)->accessibleName().contains("holds vCPU 0"));
    EXPECT_TRUE(vcpu().accessibleName().startsWith("vCPU 0, asked CPU 1"));

    dragTo(vcpu(), view().freeArea().center());
    EXPECT_EQ(machine->placement(), (Placement { std::nullopt, { std::nullopt } }));
}

TEST_F(PlacementTest, AChipThatIsDroppedBesideStaysWhereItWas)
{
    const QRect before = vcpu().geometry();
    dragTo(vcpu(), QPoint(-40, -40));
    EXPECT_TRUE(placements.empty());
    EXPECT_EQ(vcpu().geometry(), before);
}

TEST_F(PlacementTest, SaysWhatADropWouldMean)
{
    view().cell(1);
    dragTo(*view().chip(0), view().cell(1)->geometry().center());
    const QPoint start = vcpu().rect().center();
    const QPoint way = view().cell(1)->geometry().center() - vcpu().geometry().center();
    mouse(vcpu(), QEvent::MouseButtonPress, start);
    mouse(vcpu(), QEvent::MouseMove, start + way);
    EXPECT_TRUE(view().cell(1)->dropTarget());
    EXPECT_EQ(dock().message(), "vCPU 0 shares CPU 1 with the VMM.");
    key(vcpu(), Qt::Key_Escape);
    EXPECT_FALSE(view().cell(1)->dropTarget());
    EXPECT_EQ(placements.size(), 1u);
}

TEST_F(PlacementTest, AChipMovesByKeys)
{
    key(vcpu(), Qt::Key_Space);
    EXPECT_TRUE(vcpu().pickedUp());
    key(vcpu(), Qt::Key_1);
    EXPECT_TRUE(view().cell(1)->dropTarget());
    EXPECT_TRUE(placements.empty());
    key(vcpu(), Qt::Key_Space);
    ASSERT_EQ(placements.size(), 1u);
    EXPECT_EQ(placements[0].vcpus[0], 1u);

    key(vcpu(), Qt::Key_Space);
    key(vcpu(), Qt::Key_Left);
    key(vcpu(), Qt::Key_Escape);
    EXPECT_EQ(placements.size(), 1u);
    EXPECT_FALSE(vcpu().pickedUp());

    key(vcpu(), Qt::Key_Delete);
    ASSERT_EQ(placements.size(), 2u);
    EXPECT_FALSE(placements[1].vcpus[0]);
}

TEST_F(PlacementTest, ArrowsGoToTheNeighbour)
{
    key(vcpu(), Qt::Key_Space);
    ASSERT_TRUE(view().cell(0)->dropTarget());
    key(vcpu(), Qt::Key_Right);
    EXPECT_FALSE(view().cell(0)->dropTarget());
    key(vcpu(), Qt::Key_Left);
    EXPECT_TRUE(view().cell(0)->dropTarget());
    key(vcpu(), Qt::Key_Escape);
}

TEST_F(PlacementTest, PresetsByMouseAndKeys)
{
    ASSERT_TRUE(dock().preset("1(d)"));
    EXPECT_TRUE(dock().preset("Free")->isChecked());
    dock().preset("1(d)")->click();
    EXPECT_EQ(machine->placement(), plan(fourCoresWithTwoThreads(), PlacementPolicy::Disjoint, 1).value());
    EXPECT_TRUE(dock().preset("1(d)")->isChecked());
    key(vcpu(), Qt::Key_1);
    key(vcpu(), Qt::Key_S);
    EXPECT_EQ(machine->placement(), plan(fourCoresWithTwoThreads(), PlacementPolicy::Shared, 1).value());
    EXPECT_TRUE(dock().preset("1(s)")->isChecked());
    EXPECT_FALSE(dock().preset("1(d)")->isChecked());
    EXPECT_TRUE(dock().message().contains("share CPU 0"));
}

TEST_F(PlacementTest, APresetThatIsNotPossibleSaysWhy)
{
    open(Topology { "One", { { 0, 0, 0, 0, true } } });
    QToolButton* apart = window->placementDock().preset("1(d)");
    EXPECT_FALSE(apart->isEnabled());
    EXPECT_TRUE(apart->toolTip().contains("2")) << apart->toolTip().toStdString();
    EXPECT_TRUE(window->placementDock().preset("1(s)")->isEnabled());
}

TEST_F(PlacementTest, UndoAndRedo)
{
    EXPECT_FALSE(dock().undoAction()->isEnabled());
    dock().preset("1(s)")->click();
    const Placement together = machine->placement();
    dragTo(vcpu(), view().cell(1)->geometry().center());
    EXPECT_EQ(machine->placement(), apart);
    dock().undoAction()->trigger();
    EXPECT_EQ(machine->placement(), together);
    dock().redoAction()->trigger();
    EXPECT_EQ(machine->placement(), apart);
    dock().undoAction()->trigger();
    dock().undoAction()->trigger();
    EXPECT_EQ(machine->placement(), (Placement { std::nullopt, { std::nullopt } }));
    EXPECT_FALSE(dock().undoAction()->isEnabled());
}

TEST_F(PlacementTest, ShowsTheSentenceOfARefusalAndKeepsThePlacement)
{
    machine->refusePlacement = true;
    dock().preset("1(s)")->click();
    EXPECT_EQ(dock().message(), "The fake host refuses.");
    EXPECT_FALSE(dock().preset("1(s)")->isChecked());
    EXPECT_TRUE(dock().preset("Free")->isChecked());
    EXPECT_TRUE(placements.empty());
}

TEST_F(PlacementTest, WarnsWhenAThreadIsSeenElsewhereForTenSeconds)
{
    dock().preset("1(s)")->click();
    dock().preset("1(d)")->click();
    SampleMaker maker;
    maker.places = { 0, 6 };
    for (int second = 0; second < 8; ++second)
        emit window->machine().sampled(maker.after(1));
    EXPECT_FALSE(dock().message().contains("was seen on")) << dock().message().toStdString();
    for (int second = 0; second < 8; ++second)
        emit window->machine().sampled(maker.after(1));
    EXPECT_TRUE(dock().message().contains("vCPU 0 was asked to run on CPU 1")) << dock().message().toStdString();
    EXPECT_TRUE(vcpu().accessibleName().contains("CPU 6 100 percent")) << vcpu().accessibleName().toStdString();
}

} // namespace namsan

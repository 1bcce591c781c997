// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/window_with_machine.h"

#include "ui/console/console_view.h"
#include "ui/console/key_positions.h"
#include "ui/console/picture_scaling.h"
#include "ui/console/serial_text.h"
#include "ui/console/serial_view.h"

#include <QClipboard>

#include <random>

namespace namsan {

namespace {

std::vector<KeyEvent> keysOf(const std::vector<InputEvent>& events)
{
    std::vector<KeyEvent> keys;
    for (const InputEvent& event : events) {
        if (const auto* key = std::get_if<KeyEvent>(&event))
            keys.push_back(*key);
    }
    return keys;
}

std::vector<int> pressesOf(const std::vector<InputEvent>& events)
{
    std::vector<int> usages;
    for (const KeyEvent& key : keysOf(events)) {
        if (key.pressed)
            usages.push_back(key.usage);
    }
    return usages;
}

constexpr quint32 linuxRightControl = 97;
constexpr quint32 linuxA = 30;

} // namespace

TEST(KeyPositions, FollowTheHidTables)
{
    EXPECT_EQ(usageOfLinuxKey(linuxA), 0x04);
    EXPECT_EQ(usageOfLinuxKey(57), 0x2C); // space
    EXPECT_EQ(usageOfLinuxKey(28), 0x28); // Enter
    EXPECT_EQ(usageOfLinuxKey(linuxRightControl), rightControl);
    EXPECT_EQ(usageOfLinuxKey(86), 0x64); // the key beside the left Shift of European keyboards
    EXPECT_FALSE(usageOfLinuxKey(0));
    EXPECT_FALSE(usageOfLinuxKey(500));
}

TEST(KeyPositions, CountWhatThePlatformSaysBeforeWhatTheLayoutPrints)
{
    // A German layout calls the key at US position Y "Z".
    const QKeyEvent event(QEvent::KeyPress, Qt::Key_Z, Qt::NoModifier, 21 + 8, 0, 0);
    EXPECT_EQ(usageOf(event), 0x1C);
    const QKeyEvent withoutPosition(QEvent::KeyPress, Qt::Key_Z, Qt::NoModifier);
    EXPECT_EQ(usageOf(withoutPosition), 0x1D);
}

TEST(PictureScalingTest, UsesWholeMultiplesOfDevicePixels)
{
    const PicturePlace place = placePicture({ 720, 400 }, { 1500, 1000 }, PictureScaling::Integer);
    EXPECT_EQ(place.multiple, 2);
    EXPECT_EQ(place.target, QRect(30, 100, 1440, 800));
    EXPECT_FALSE(place.smooth);
}

TEST(PictureScalingTest, ShrinksWhatDoesNotFit)
{
    const PicturePlace place = placePicture({ 1024, 768 }, { 512, 600 }, PictureScaling::Integer);
    EXPECT_EQ(place.target.size(), QSize(512, 384));
    EXPECT_TRUE(place.smooth);
}

TEST(PictureScalingTest, FillsTheViewInTheOtherModes)
{
    EXPECT_EQ(placePicture({ 720, 400 }, { 1000, 1000 }, PictureScaling::Smooth).target.width(), 1000);
    EXPECT_FALSE(placePicture({ 720, 400 }, { 1000, 1000 }, PictureScaling::Sharp).smooth);
    EXPECT_TRUE(placePicture({}, { 10, 10 }, PictureScaling::Smooth).target.isEmpty());
}

class ConsoleTest : public WindowTest {
protected:
    ConsoleTest()
    {
        window->machine().start();
        settle();
    }
};

TEST_F(ConsoleTest, TypesIntoTheGuestOnlyAfterAClick)
{
    key(window->console(), Qt::Key_A, "a");
    EXPECT_TRUE(machine->input().empty());
    click(window->console());
    EXPECT_TRUE(window->console().captured());
    for (const char letter : std::string("ls"))
        key(window->console(), std::toupper(letter), QString(QChar(letter)));
    key(window->console(), Qt::Key_Return);
    EXPECT_EQ(pressesOf(machine->input()), (std::vector<int> { 0x0F, 0x16, 0x28 }));
    EXPECT_EQ(keysOf(machine->input()).size(), 6u);
}

TEST_F(ConsoleTest, LeavesRepeatingToTheGuestsKeyboard)
{
    click(window->console());
    scanCode(window->console(), QEvent::KeyPress, linuxA);
    scanCode(window->console(), QEvent::KeyRelease, linuxA, true);
    scanCode(window->console(), QEvent::KeyPress, linuxA, true);
    scanCode(window->console(), QEvent::KeyRelease, linuxA);
    EXPECT_EQ(keysOf(machine->input()).size(), 2u);
}

TEST_F(ConsoleTest, RightControlTakesTheKeyboardBack)
{
    click(window->console());
    scanCode(window->console(), QEvent::KeyPress, linuxRightControl);
    EXPECT_FALSE(window->console().captured());
    key(window->console(), Qt::Key_A, "a");
    EXPECT_TRUE(keysOf(machine->input()).empty());
}

TEST_F(ConsoleTest, LetsGoOfHeldKeysWhenTheFocusLeaves)
{
    click(window->console());
    scanCode(window->console(), QEvent::KeyPress, linuxA);
    QFocusEvent out(QEvent::FocusOut, Qt::ActiveWindowFocusReason);
    QApplication::sendEvent(&window->console(), &out);
    const auto keys = keysOf(machine->input());
    ASSERT_EQ(keys.size(), 2u);
    EXPECT_EQ(keys[1].usage, 0x04);
    EXPECT_FALSE(keys[1].pressed);
    EXPECT_FALSE(window->console().captured());
}

TEST_F(ConsoleTest, SendsFunctionKeysToTheGuestWhileItHasTheKeyboard)
{
    click(window->console());
    QKeyEvent shortcut(QEvent::ShortcutOverride, Qt::Key_F6, Qt::NoModifier);
    shortcut.ignore();
    QApplication::sendEvent(&window->console(), &shortcut);
    EXPECT_TRUE(shortcut.isAccepted());
    key(window->console(), Qt::Key_F6);
    EXPECT_EQ(pressesOf(machine->input()), std::vector<int> { 0x3F });
    EXPECT_EQ(window->machine().state(), MachineState::Running);
}

TEST_F(ConsoleTest, SendsTheMouseButNotTheClickThatGaveItAway)
{
    click(window->console());
    EXPECT_TRUE(machine->input().empty());
    click(window->console());
    ASSERT_EQ(machine->input().size(), 2u);
    EXPECT_TRUE(std::get<PointerButtonEvent>(machine->input()[0]).pressed);
    EXPECT_FALSE(std::get<PointerButtonEvent>(machine->input()[1]).pressed);

    QWheelEvent wheel({ 10, 10 }, { 10, 10 }, {}, { 0, 240 }, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(&window->console(), &wheel);
    EXPECT_EQ(std::get<PointerWheel>(machine->input().back()).steps, 2);
}

TEST_F(ConsoleTest, CtrlAltDelIsPressedInOrderAndReleasedInReverse)
{
    window->action("ctrlAltDel")->trigger();
    const auto keys = keysOf(machine->input());
    ASSERT_EQ(keys.size(), 6u);
    EXPECT_EQ(pressesOf(machine->input()), (std::vector<int> { 0xE0, 0xE2, 0x4C }));
    EXPECT_FALSE(keys[5].pressed);
    EXPECT_EQ(keys[5].usage, 0xE0);
}

// Runs at fractional scales, too (tests/CMakeLists.txt): there a blurred or shifted pixel would show first.
TEST_F(ConsoleTest, ShowsTheGuestsPicturePixelByPixel)
{
    Frame frame;
    frame.width = 321;
    frame.height = 203;
    std::minstd_rand random(11);
    for (int i = 0; i < frame.width * frame.height; ++i)
        frame.pixels.push_back(0xff000000 | static_cast<uint32_t>(random()));
    frame.damage = { 0, 0, frame.width, frame.height };
    machine->show(frame);
    settle();
    const QImage shown = window->grab().toImage().convertToFormat(QImage::Format_RGB32);
    const QPointF corner = QPointF(window->console().mapTo(window.get(), QPoint(0, 0))) * window->devicePixelRatioF();
    const PicturePlace place = window->console().place();
    const QPoint origin = corner.toPoint() + place.target.topLeft();
    ASSERT_GE(place.multiple, 1);
    ASSERT_EQ(place.target.size(), QSize(frame.width, frame.height) * place.multiple);
    int wrong = 0;
    for (int y = 0; y < place.target.height(); ++y) {
        for (int x = 0; x < place.target.width(); ++x) {
            const auto guest = static_cast<size_t>(y / place.multiple * frame.width + x / place.multiple);
            wrong += shown.pixel(origin + QPoint(x, y)) != frame.pixels[guest];
        }
    }
    EXPECT_EQ(wrong, 0) << "at scale " << window->devicePixelRatioF();
    EXPECT_EQ(shown.pixelColor(corner.toPoint() + QPoint(3, 3)), QColor(0x0B, 0x0C, 0x0E));
}

TEST_F(ConsoleTest, TypesTheClipboardAsItIs)
{
    QApplication::clipboard()->setText("A\\n b\r\nc");
    window->action("typeClipboard")->trigger();
    constexpr int shift = 0xE1;
    EXPECT_EQ(pressesOf(machine->input()), (std::vector<int> { shift, 0x04, 0x31, 0x11, 0x2C, 0x05, 0x28, 0x06 }));

    QApplication::clipboard()->setText(QString(100'000, QLatin1Char('x')));
    const size_t before = machine->input().size();
    window->action("typeClipboard")->trigger();
    EXPECT_EQ(machine->input().size(), before);
    EXPECT_TRUE(window->banner().contains("can be typed at once")) << window->banner().toStdString();

    QApplication::clipboard()->setText(QString::fromUtf8("남산"));
    window->action("typeClipboard")->trigger();
    EXPECT_EQ(machine->input().size(), before);
    EXPECT_TRUE(window->banner().contains("on no key of a US keyboard")) << window->banner().toStdString();
}

// Whatever the guest sends, and however seldom the window comes to look at it.
TEST_F(ConsoleTest, TheSerialTabStaysBounded)
{
    for (int i = 0; i < 200; ++i)
        window->serial().append(QByteArray(100'000, i % 10 == 0 ? '\n' : 'x'));
    EXPECT_LE(window->serial().allText().size(), qsizetype(SerialText::capacity) * 80 + SerialText::lineLength);
}

TEST_F(ConsoleTest, CopiesOnlyWhatChanged)
{
    Frame frame;
    frame.width = 64;
    frame.height = 32;
    frame.pixels.assign(64 * 32, 0xff000000);
    frame.damage = { 0, 0, 64, 32 };
    window->console().show(frame);
    frame.pixels.assign(64 * 32, 0xffffffff);
    frame.damage = { 10, 10, 4, 4 };
    window->console().show(frame);
    EXPECT_EQ(window->console().picture().pixel(10, 10), 0xffffffff);
    EXPECT_EQ(window->console().picture().pixel(9, 10), 0xff000000);
    EXPECT_EQ(window->console().picture().pixel(14, 10), 0xff000000);
}

TEST(SerialTextTest, MovesWithinTheLine)
{
    SerialText text;
    text.append("abc\rX\r\nlonger\b\b\x1b[Kgone\r\n");
    ASSERT_EQ(text.lineCount(), 3u);
    EXPECT_EQ(text.line(0), "Xbc");
    EXPECT_EQ(text.line(1), "longgone");
}

TEST(SerialTextTest, TakesColoursOut)
{
    SerialText text;
    text.append("\x1b[1;32mok\x1b[0m \x1b]0;title\x07yes \x1b(B!");
    EXPECT_EQ(text.line(0), "ok yes !");
}

TEST(SerialTextTest, ReadsUtf8EvenInPiecesAndMarksWhatIsNone)
{
    SerialText text;
    text.append("\xc3");
    text.append("\xa9\xff"
                "a\xe2\x82"
                "b");
    EXPECT_EQ(text.line(0), QString::fromUtf8("é\uFFFDa\uFFFDb"));
}

TEST(SerialTextTest, StaysBounded)
{
    SerialText text;
    text.append(QByteArray(5'000'000, 'x'));
    EXPECT_EQ(text.line(0).size(), SerialText::lineLength);
    text.append(QByteArray(50'000, '\n'));
    EXPECT_EQ(text.lineCount(), SerialText::capacity);
    text.append("\x1b[" + QByteArray(1'000'000, '1') + "C\x1b[999999999D*");
    EXPECT_LE(text.column(), SerialText::lineLength);
}

TEST_F(ConsoleTest, TheSerialTabShowsWhatComesAndSendsWhatIsTyped)
{
    machine->print("tiny login: ");
    settle();
    EXPECT_TRUE(window->serial().allText().endsWith("tiny login: "));
    key(window->serial(), Qt::Key_R, "r");
    key(window->serial(), Qt::Key_Return, "\r");
    key(window->serial(), Qt::Key_C, "\x03", Qt::ControlModifier);
    EXPECT_EQ(machine->serialInput(), "r\r\x03");
}

} // namespace namsan

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

// Dependencies point one way: vmm <- app <- ui <- app/main.cpp. vmm knows no Qt, and app no widgets.

namespace namsan {

namespace {

namespace fs = std::filesystem;

// What stands between the quotes or brackets of an include line.
std::optional<std::string> includedBy(std::string line)
{
    std::erase_if(line, [](char c) { return c == ' ' || c == '\t'; });
    constexpr std::string_view directive = "#include";
    if (!line.starts_with(directive) || line.size() < directive.size() + 2)
        return std::nullopt;
    const char closing = line[directive.size()] == '<' ? '>' : '"';
    const size_t begin = directive.size() + 1;
    const size_t end = line.find(closing, begin);
    return end == std::string::npos ? std::nullopt : std::optional(line.substr(begin, end - begin));
}

bool belongsToQt(std::string_view header)
{
    const bool className = header.size() > 1 && header[0] == 'Q' && header[1] >= 'A' && header[1] <= 'Z';
    const bool module = header.starts_with("Qt") || header.starts_with("qcustomplot");
    // Qt's own files have the classes' names in lower case: qobject.h, qglobal.h, qstring.h.
    const bool file = header.starts_with('q') && header.ends_with(".h") && header.find('/') == std::string_view::npos;
    return className || module || file;
}

// A program's window, as far as Qt's headers go: what app may use is named, all else is refused.
bool belongsToWidgets(std::string_view header)
{
    constexpr std::array modules { "QtWidgets", "QtSvgWidgets", "QtPrintSupport", "QtOpenGLWidgets", "qcustomplot" };
    constexpr std::array classes { "QApplication", "QAction", "QWidget", "QMainWindow", "QDialog", "QMessageBox",
        "QLabel", "QPushButton", "QToolButton", "QToolBar", "QMenu", "QStyle", "QLayout", "QBoxLayout", "QHBoxLayout",
        "QVBoxLayout", "QGridLayout", "QDockWidget", "QTabWidget", "QTreeView", "QTableView", "QListView",
        "QScrollArea", "QFrame", "QStatusBar", "QStackedWidget", "QFileDialog", "QPlainTextEdit", "QLineEdit",
        "QAbstractButton", "QToolTip", "QStyledItemDelegate", "QGraphicsView", "QGraphicsScene", "QComboBox",
        "QSpinBox", "QSlider", "QProgressBar" };
    const auto begins = [&](std::string_view module) { return header.starts_with(module); };
    return std::ranges::any_of(modules, begins) || std::ranges::find(classes, header) != classes.end();
}

std::optional<std::string> mistakeIn(const std::string& file, const std::string& header)
{
    const bool program = file == "app/main.cpp"; // joins all layers
    if (file.starts_with("vmm/") && (header.starts_with("app/") || header.starts_with("ui/")))
        return "vmm knows no other layer";
    if (file.starts_with("vmm/") && belongsToQt(header))
        return "vmm knows no Qt";
    if (file.starts_with("app/") && !program && header.starts_with("ui/"))
        return "app knows no window";
    if (file.starts_with("app/") && !program && belongsToWidgets(header))
        return "app uses no widgets";
    if (!file.starts_with("tests/") && header.starts_with("tests/"))
        return "the program knows no tests";
    const bool widgetFree = file.starts_with("tests/vmm/") || file.starts_with("tests/session/");
    if (widgetFree && (belongsToQt(header) || header.starts_with("app/") || header.starts_with("ui/")))
        return "tests of vmm know vmm only";
    return std::nullopt;
}

struct Findings {
    size_t files = 0;
    std::vector<std::string> mistakes; // "file:line: what"
};

Findings lookAt(const fs::path& root)
{
    Findings findings;
    for (const char* layer : { "vmm", "app", "ui", "tests" }) {
        if (!fs::exists(root / layer))
            continue;
        for (const auto& entry : fs::recursive_directory_iterator(root / layer)) {
            const std::string extension = entry.path().extension().string();
            if (!entry.is_regular_file() || (extension != ".h" && extension != ".cpp"))
                continue;
            ++findings.files;
            const std::string file = entry.path().lexically_relative(root).string();
            std::ifstream stream(entry.path());
            std::string line;
            for (int number = 1; std::getline(stream, line); ++number) {
                const auto header = includedBy(line);
                const auto mistake = header ? mistakeIn(file, *header) : std::nullopt;
                if (mistake)
                    findings.mistakes.push_back(file + ":" + std::to_string(number) + ": " + *mistake + ": " + *header);
            }
        }
    }
    return findings;
}

} // namespace

TEST(Layering, EveryIncludePointsTheRightWay)
{
    const Findings findings = lookAt(NAMSAN_SOURCE_FOLDER);
    EXPECT_GT(findings.files, 50u) << "there is little in " << NAMSAN_SOURCE_FOLDER;
    for (const std::string& mistake : findings.mistakes)
        ADD_FAILURE() << mistake;
}

TEST(Layering, WouldNoticeAnIncludeThatPointsTheWrongWay)
{
    for (const auto& [file, line] : std::vector<std::pair<const char*, const char*>> {
             { "vmm/board/a.h", "#include <QString>" },
             { "vmm/board/a.h", "#include <QtCore/QString>" },
             { "vmm/board/a.cpp", "  #  include <qobject.h>" },
             { "vmm/board/a.cpp", "#include \"app/running/run_goal.h\"" },
             { "vmm/board/a.cpp", "#include \"ui/shell/main_window.h\" // why not" },
             { "app/running/a.h", "#include \"ui/shell/main_window.h\"" },
             { "app/running/a.h", "#include <QWidget>" },
             { "app/running/a.h", "#include <QtWidgets/QWidget>" },
             { "ui/shell/a.h", "#include \"tests/support/fake_machine.h\"" },
             { "tests/vmm/a_test.cpp", "#include <QObject>" },
         }) {
        const TemporaryFolder folder;
        folder.write(file, std::string("#pragma once\n") + line + "\n");
        EXPECT_EQ(lookAt(folder.path("")).mistakes.size(), 1u) << file << ": " << line;
    }
}

TEST(Layering, LetsPassWhatIsRight)
{
    const TemporaryFolder folder;
    folder.write(
        "vmm/board/a.h", "#include \"vmm/board/b.h\"\n#include <vector>\n// #include <QString>\n#include <queue>\n");
    folder.write("app/running/a.h", "#include <QObject>\n#include <QImage>\n#include \"vmm/board/a.h\"\n");
    folder.write("ui/shell/a.h", "#include <QWidget>\n#include \"app/running/a.h\"\n#include \"vmm/board/a.h\"\n");
    folder.write("app/main.cpp", "#include <QApplication>\n#include \"ui/shell/a.h\"\n");
    const Findings findings = lookAt(folder.path(""));
    EXPECT_EQ(findings.files, 4u);
    EXPECT_EQ(findings.mistakes, std::vector<std::string> {});
}

} // namespace namsan

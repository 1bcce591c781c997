// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/theme.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QStandardPaths>

// The window's tests need an application, and run without a display unless the caller chose a platform.
int main(int argc, char** argv)
{
    ::testing::InitGoogleTest(&argc, argv);
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    QStandardPaths::setTestModeEnabled(true);
    QApplication application(argc, argv);
    QApplication::setQuitOnLastWindowClosed(false);
    namsan::applyTheme(application, namsan::ThemeChoice::Light);
    return RUN_ALL_TESTS();
}

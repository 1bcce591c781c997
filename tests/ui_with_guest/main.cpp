// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/theme.h"

#include <gtest/gtest.h>

#include <QApplication>

// The real window around a real guest; without a display unless the caller chose a platform.
int main(int argc, char** argv)
{
    ::testing::InitGoogleTest(&argc, argv);
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    QApplication::setQuitOnLastWindowClosed(false);
    namsan::applyTheme(application, namsan::ThemeChoice::Light);
    return RUN_ALL_TESTS();
}

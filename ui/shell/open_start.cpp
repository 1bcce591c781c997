// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/open_start.h"

#include "app/lab/experiment_store.h"
#include "ui/experiment/experiment_composer.h"
#include "ui/experiment/experiment_window.h"
#include "ui/library/start_window.h"

#include <QApplication>

#include <optional>

namespace namsan {

namespace {

void measure(const Topology& host)
{
    ExperimentWindow experiments(host, ExperimentStore::defaultFolder(), ExperimentWindow::ownProgram());
    QObject::connect(
        &experiments, &ExperimentWindow::contentShown, &experiments,
        [&experiments] { experiments.compose()->preferWorkload(StartWindow::guestOf(StartChoice::Measuring)); },
        Qt::SingleShotConnection);
    experiments.show();
    QApplication::exec();
}

} // namespace

std::vector<std::string> askWhatToDo(QApplication& application, const GuestRecipes& recipes, ThemeChoice theme)
{
    applyTheme(application, theme);
    const Topology host = readTopology() ? *readTopology() : Topology {};
    std::optional<StartChoice> choice;
    {
        StartWindow window(host, GuestCache(GuestCache::defaultFolder()), recipes);
        QObject::connect(&window, &StartWindow::chosen, &application, [&](StartChoice chosen) {
            choice = chosen;
            QCoreApplication::exit();
        });
        window.show();
        QApplication::exec();
    }
    if (!choice)
        return {};
    if (*choice != StartChoice::Measuring)
        return { "run", StartWindow::guestOf(*choice).toStdString() };
    measure(host);
    return {};
}

} // namespace namsan

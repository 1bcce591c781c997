// SPDX-License-Identifier: GPL-3.0-or-later
// What the user can do with experiments: the actions of ExperimentWindow, its menus and its tool bar.
#include "app/lab/result_export.h"
#include "app/lab/result_text.h"
#include "app/paint/plot_export.h"
#include "ui/common/export_dialog.h"
#include "ui/common/message_banner.h"
#include "ui/common/symbolic_icon.h"
#include "ui/experiment/experiment_composer.h"
#include "ui/experiment/experiment_window.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QMenu>
#include <QMenuBar>
#include <QToolBar>

namespace namsan {

// What it does and its keys, for those who point at it and for those who have it read out.
void ExperimentWindow::explain(QAction* action, const QString& text)
{
    const QString keys = action->shortcut().toString(QKeySequence::NativeText);
    action->setToolTip(keys.isEmpty() ? text : tr("%1 (%2)").arg(text, keys));
}

void ExperimentWindow::buildActions()
{
    const auto add = [this](const char* name, const char* icon, const QString& text, const QKeySequence& keys) {
        auto* action = new QAction(symbolicIcon(QString::fromLatin1(icon)), text, this);
        action->setObjectName(QString::fromLatin1(name));
        action->setShortcut(keys);
        return action;
    };
    m_new = add("newExperiment", "document-save-as", tr("New experiment..."), QKeySequence::New);
    m_continue = add("continueExperiment", "media-playback-start", tr("Continue"), Qt::Key_F5);
    m_cancel = add("cancelExperiment", "window-close", tr("Cancel"), Qt::CTRL | Qt::Key_Period);
    m_copy = add("copyMarkdown", "edit-copy", tr("Copy as Markdown"), Qt::CTRL | Qt::SHIFT | Qt::Key_C);
    m_export = add("exportExperiment", "document-save", tr("Export..."), Qt::CTRL | Qt::Key_E);
    explain(m_new, tr("A workload, engines and placements, and how often"));
    explain(m_continue, tr("Makes the runs that the experiment still lacks"));
    explain(m_cancel, tr("Ends measuring; finished runs are kept"));
    explain(m_copy, tr("The tables as text for a document"));
    explain(m_export, tr("Table, runs or plot as a file: md, csv, json, svg or png"));
    connect(m_new, &QAction::triggered, this, &ExperimentWindow::compose);
    connect(m_continue, &QAction::triggered, this, [this] {
        if (const Experiment* experiment = current())
            run(experiment->settings);
    });
    connect(m_cancel, &QAction::triggered, this, [this] { m_process.cancel(); });
    connect(m_copy, &QAction::triggered, this, &ExperimentWindow::copyMarkdown);
    connect(m_export, &QAction::triggered, this, &ExperimentWindow::askWhereToExport);

    QMenu* menu = menuBar()->addMenu(tr("&Experiment"));
    menu->addActions({ m_new, m_continue, m_cancel });
    menu->addSeparator();
    menu->addActions({ m_copy, m_export });
    menu->addSeparator();
    QAction* close = menu->addAction(symbolicIcon(QStringLiteral("application-exit")), tr("Close"));
    close->setShortcut(QKeySequence::Close);
    connect(close, &QAction::triggered, this, &QWidget::close);

    QToolBar* bar = addToolBar(tr("Experiment"));
    bar->setObjectName(QStringLiteral("experimentToolBar"));
    bar->setMovable(false);
    bar->setIconSize({ 16, 16 });
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->setMinimumHeight(44);
    bar->addActions({ m_new, m_continue, m_cancel });
    bar->addSeparator();
    bar->addActions({ m_copy, m_export });
    bar->toggleViewAction()->setVisible(false);
}

void ExperimentWindow::enableActions()
{
    const Experiment* experiment = current();
    m_new->setEnabled(!measuring());
    m_continue->setEnabled(!measuring() && experiment && !experiment->finished());
    m_cancel->setEnabled(measuring());
    m_copy->setEnabled(experiment != nullptr);
    m_export->setEnabled(experiment != nullptr);
}

void ExperimentWindow::copyMarkdown()
{
    if (const Experiment* experiment = current(); experiment && m_content->table)
        QGuiApplication::clipboard()->setText(
            QString::fromStdString(toMarkdown(*experiment, *m_content->table, m_published)));
}

void ExperimentWindow::askWhereToExport()
{
    namsan::askWhereToExport(this, m_selected, [this](const QString& path) { exportTo(path); });
}

void ExperimentWindow::exportTo(const QString& path)
{
    const Experiment* experiment = current();
    if (!experiment || !m_content->table)
        return;
    const ResultTable& table = *m_content->table;
    const auto written = namsan::exportTo(path,
        { .markdown = [&] { return toMarkdown(*experiment, table, m_published); },
            .csv = [&] { return toCsv(*experiment); },
            .json = [&] { return toJson(*experiment, table, m_published); },
            .svg = [&] { return plotAsSvg(table).toStdString(); },
            .png = [&] { return plotAsPng(table).toStdString(); } });
    if (!written)
        m_banner->say(MessageBanner::Kind::Error, QString::fromStdString(written.error().message));
    else
        m_banner->say(MessageBanner::Kind::Information, tr("The experiment was exported as %1").arg(path));
}

} // namespace namsan

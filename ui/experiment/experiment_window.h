// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/published_tables.h"
#include "ui/experiment/experiment_archive.h"
#include "ui/experiment/experiment_process.h"
#include "vmm/host/topology.h"

#include <QMainWindow>

#include <set>

class QComboBox;
class QLabel;
class QListWidget;

namespace namsan {

class ExperimentComposer;
class MessageBanner;
class PlotView;
class ProgressLine;
class ResultView;

// The archive of experiments, and the one that is being measured: plot, table and what was published beside it.
// Measuring and reading happen elsewhere; this only shows what came of them.
class ExperimentWindow final : public QMainWindow {
    Q_OBJECT

public:
    // folder: of the archive. program: namsan's own file.
    ExperimentWindow(const Topology&, std::filesystem::path folder, const QString& program, QWidget* parent = nullptr);

    // Opens the composer and returns it.
    ExperimentComposer* compose();
    // Begins or continues an experiment.
    void run(const ExperimentSettings&);
    // Shows one of the archive, by its name.
    void select(const QString& name);

    QAction* action(const QString& name) const { return findChild<QAction*>(name); }
    bool measuring() const { return m_process.running(); }
    QString banner() const;

    static QString ownProgram();

signals:
    void contentShown(); // what the archive held has been read and is shown

protected:
    void changeEvent(QEvent*) override;

private:
    void buildActions();
    void buildContent();
    QWidget* buildPage();
    QWidget* buildTables();
    void explain(QAction*, const QString&);

    void showContent(const ArchiveContent&);
    void showList();
    void showExperiment();
    void showProgress(const QString& line);
    void showPublished(int index);
    void enableActions();
    void dimSecondaryText();
    void ended(bool ok, const QString& sentence);
    const Experiment* current() const;
    void copyMarkdown();
    void askWhereToExport();
    void exportTo(const QString& path);

    Topology m_host;
    PublishedTables m_published;
    ExperimentArchive m_archive;
    ExperimentProcess m_process;
    std::shared_ptr<const ArchiveContent> m_content;
    QString m_selected;
    bool m_updating = false; // the list is being filled

    QListWidget* m_list;
    QLabel* m_title;
    QLabel* m_subtitle;
    ProgressLine* m_progress;
    QLabel* m_progressText;
    MessageBanner* m_banner;
    PlotView* m_plot;
    ResultView* m_table;
    QLabel* m_tableHost;
    QLabel* m_detail;
    QLabel* m_notes;
    QComboBox* m_publishedMachine;
    ResultView* m_publishedTable;
    QLabel* m_publishedNotes;
    QAction* m_new = nullptr;
    QAction* m_continue = nullptr;
    QAction* m_cancel = nullptr;
    QAction* m_copy = nullptr;
    QAction* m_export = nullptr;
};

} // namespace namsan

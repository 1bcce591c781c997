// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/experiment_window.h"

#include "app/lab/result_text.h"
#include "ui/common/message_banner.h"
#include "ui/common/progress_line.h"
#include "ui/common/theme.h"
#include "ui/experiment/experiment_composer.h"
#include "ui/experiment/plot_view.h"
#include "ui/experiment/result_view.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QSplitter>
#include <QVBoxLayout>

#include <algorithm>

namespace namsan {

namespace {

QString toQt(const std::string& text)
{
    return QString::fromStdString(text);
}

QLabel* quietLabel(double factor)
{
    auto* label = new QLabel;
    label->setFont(scaledFont(label->font(), factor));
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

// In secondary text colour, which follows the theme.
void dim(QLabel* label)
{
    QPalette palette = QGuiApplication::palette();
    palette.setColor(QPalette::WindowText, themeTokens(palette).secondaryText);
    label->setPalette(palette);
}

} // namespace

ExperimentWindow::ExperimentWindow(
    const Topology& host, std::filesystem::path folder, const QString& program, QWidget* parent)
    : QMainWindow(parent)
    , m_host(host)
    , m_published(publishedTables())
    , m_archive(std::move(folder))
    , m_process(program)
    , m_content(std::make_shared<ArchiveContent>())
    , m_list(new QListWidget)
    , m_title(new QLabel)
    , m_subtitle(quietLabel(0.92))
    , m_progress(new ProgressLine)
    , m_progressText(quietLabel(0.92))
    , m_banner(new MessageBanner(true))
    , m_plot(new PlotView)
    , m_table(new ResultView(tr("Results of this host")))
    , m_tableHost(quietLabel(0.92))
    , m_detail(quietLabel(0.92))
    , m_notes(quietLabel(0.92))
    , m_publishedMachine(new QComboBox)
    , m_publishedTable(new ResultView(tr("Results published in 2019")))
    , m_publishedNotes(quietLabel(0.92))
{
    setWindowTitle(tr("Experiments - Namsan"));
    setMinimumSize(960, 640);
    resize(1440, 900);
    setAttribute(Qt::WA_QuitOnClose, false); // it is the machine's window that the program stands for
    buildActions();
    buildContent();
    connect(&m_archive, &ExperimentArchive::loaded, this, [this](const std::shared_ptr<const ArchiveContent>& content) {
        m_content = content;
        showContent(*content);
    });
    connect(&m_process, &ExperimentProcess::progressed, this, &ExperimentWindow::showProgress);
    connect(&m_process, &ExperimentProcess::ended, this, &ExperimentWindow::ended);
    connect(m_list, &QListWidget::currentItemChanged, this, [this](QListWidgetItem* item) {
        if (item && !m_updating)
            select(item->data(Qt::UserRole).toString());
    });
    connect(m_publishedMachine, &QComboBox::currentIndexChanged, this, &ExperimentWindow::showPublished);
    connect(m_table, &ResultView::detailChanged, this, [this](const QString& text) {
        m_detail->setText(text);
        m_detail->setVisible(!text.isEmpty());
    });
    m_detail->hide();
    m_publishedMachine->setCurrentIndex(2); // the one with the most columns
    showPublished(2);
    enableActions();
    m_archive.reload(m_selected);
}

QString ExperimentWindow::ownProgram()
{
    return QCoreApplication::applicationFilePath();
}

void ExperimentWindow::buildContent()
{
    m_list->setAccessibleName(tr("Experiments"));
    m_list->setObjectName(QStringLiteral("experiments"));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setSpacing(2);
    auto* splitter = new QSplitter;
    splitter->addWidget(m_list);
    splitter->addWidget(buildPage());
    splitter->setStretchFactor(1, 1);
    splitter->setSizes({ 232, 1200 });
    splitter->setChildrenCollapsible(false);
    setCentralWidget(splitter);
    dimSecondaryText();
}

QWidget* ExperimentWindow::buildPage()
{
    m_title->setFont(scaledFont(font(), 1.4, QFont::DemiBold));
    m_title->setTextFormat(Qt::PlainText);
    m_progress->setAccessibleName(tr("Runs that have ended"));
    m_progressText->setWordWrap(false);
    m_progressText->setObjectName(QStringLiteral("progressText"));
    m_detail->setObjectName(QStringLiteral("detail"));

    auto* progressRow = new QHBoxLayout;
    progressRow->addWidget(m_progress, 1);
    progressRow->addSpacing(12);
    progressRow->addWidget(m_progressText);
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(16, 12, 16, 12);
    column->setSpacing(8);
    column->addWidget(m_banner);
    column->addWidget(m_title);
    column->addWidget(m_subtitle);
    column->addLayout(progressRow);
    column->addWidget(m_plot, 1);
    column->addWidget(buildTables());
    m_banner->hide();
    return page;
}

QWidget* ExperimentWindow::buildTables()
{
    for (const ResultTable& table : m_published.tables)
        m_publishedMachine->addItem(toQt(table.title + ", " + table.host));
    m_publishedMachine->setAccessibleName(tr("Machine of the published table"));
    m_publishedMachine->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_publishedMachine->setMinimumContentsLength(20);
    const auto heading = [this](const QString& text) {
        auto* label = new QLabel(text);
        label->setFont(scaledFont(font(), 1, QFont::DemiBold));
        return label;
    };
    m_tableHost->setMinimumHeight(m_publishedMachine->sizeHint().height()); // so that the tables stand side by side
    auto* ownHead = new QHBoxLayout;
    ownHead->addWidget(heading(tr("This host")));
    ownHead->addSpacing(8);
    ownHead->addWidget(m_tableHost, 1);
    auto* own = new QVBoxLayout;
    own->addLayout(ownHead);
    own->addWidget(m_table);
    own->addWidget(m_detail);
    own->addWidget(m_notes);
    own->addStretch(1);
    auto* publishedHead = new QHBoxLayout;
    publishedHead->addWidget(heading(tr("Published 2019")));
    publishedHead->addSpacing(8);
    publishedHead->addWidget(m_publishedMachine, 1);
    auto* published = new QVBoxLayout;
    published->addLayout(publishedHead);
    published->addWidget(m_publishedTable);
    published->addWidget(m_publishedNotes);
    published->addStretch(1);

    auto* tables = new QWidget;
    auto* row = new QHBoxLayout(tables);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(16);
    row->addLayout(own, 1);
    row->addLayout(published, 1);
    return tables;
}

void ExperimentWindow::changeEvent(QEvent* event)
{
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        dimSecondaryText();
}

void ExperimentWindow::dimSecondaryText()
{
    for (QLabel* label : { m_subtitle, m_progressText, m_tableHost, m_notes, m_publishedNotes })
        dim(label);
}

ExperimentComposer* ExperimentWindow::compose()
{
    std::set<QString> names;
    for (const Experiment& experiment : m_content->experiments)
        names.insert(toQt(experiment.settings.name));
    auto* composer = new ExperimentComposer(m_host, std::move(names), this);
    composer->setAttribute(Qt::WA_DeleteOnClose);
    connect(composer, &ExperimentComposer::chosen, this, &ExperimentWindow::run);
    composer->open();
    return composer;
}

void ExperimentWindow::run(const ExperimentSettings& settings)
{
    if (measuring())
        return;
    m_banner->hide();
    m_selected = toQt(settings.name);
    m_process.start(settings);
    m_progressText->setText(tr("The first run goes on."));
    enableActions();
    m_archive.reload(m_selected);
}

void ExperimentWindow::select(const QString& name)
{
    m_selected = name;
    m_archive.reload(name);
}

void ExperimentWindow::showProgress(const QString& line)
{
    m_progressText->setText(line);
    m_archive.reload(m_selected);
}

void ExperimentWindow::ended(bool ok, const QString& sentence)
{
    if (!ok && !sentence.isEmpty())
        m_banner->say(MessageBanner::Kind::Warning, sentence);
    enableActions();
    m_archive.reload(m_selected);
}

QString ExperimentWindow::banner() const
{
    return m_banner->isHidden() ? QString() : m_banner->text();
}

const Experiment* ExperimentWindow::current() const
{
    const auto found = std::ranges::find_if(m_content->experiments,
        [name = m_selected.toStdString()](const Experiment& experiment) { return experiment.settings.name == name; });
    return found == m_content->experiments.end() ? nullptr : &*found;
}

void ExperimentWindow::showContent(const ArchiveContent& content)
{
    if (!content.failure.isEmpty())
        m_banner->say(MessageBanner::Kind::Error, content.failure);
    if (m_selected.isEmpty() && !content.experiments.empty()) {
        select(toQt(content.experiments.front().settings.name));
        return;
    }
    showList();
    if (content.selected == m_selected)
        showExperiment();
    enableActions();
    emit contentShown();
}

void ExperimentWindow::showList()
{
    m_updating = true;
    m_list->clear();
    for (const Experiment& experiment : m_content->experiments) {
        const QString name = toQt(experiment.settings.name);
        const bool runs = measuring() && m_process.name() == name;
        const QString state = runs ? tr("running") : experiment.finished() ? tr("finished") : tr("interrupted");
        auto* item = new QListWidgetItem(
            tr("%1\n%2, %3 of %4 runs").arg(name, state).arg(experiment.runs.size()).arg(experiment.runsWanted()),
            m_list);
        item->setData(Qt::UserRole, name);
        item->setToolTip(name);
        if (name == m_selected)
            m_list->setCurrentItem(item);
    }
    m_updating = false;
}

void ExperimentWindow::showExperiment()
{
    const Experiment* experiment = current();
    m_progress->setVisible(experiment != nullptr);
    if (!experiment || !m_content->table) {
        m_title->setText(tr("Experiments"));
        m_subtitle->setText(
            tr("There is no experiment yet. Make one with Ctrl+N: a workload, and where it shall run."));
        m_table->hide();
        return;
    }
    const ExperimentSettings& settings = experiment->settings;
    const ResultTable& table = *m_content->table;
    m_title->setText(toQt(settings.name));
    m_subtitle->setText(tr("%1 (%2) · %3 engines × %4 placements × %5 repetitions · random order, seed %6")
                            .arg(toQt(settings.workload), toQt(settings.size))
                            .arg(settings.engines.size())
                            .arg(settings.columns.size())
                            .arg(settings.repetitions)
                            .arg(settings.seed));
    m_progress->setRange(0, std::max(1, static_cast<int>(experiment->runsWanted())));
    m_progress->setValue(static_cast<int>(experiment->runs.size()));
    if (!measuring() || m_process.name() != m_selected)
        m_progressText->setText(tr("%1 of %2 runs").arg(experiment->runs.size()).arg(experiment->runsWanted()));
    m_plot->display(table);
    m_table->show();
    m_table->display(table);
    m_table->setFixedHeight(m_table->sizeHint().height());
    m_tableHost->setText(toQt(table.host));
    QStringList notes;
    for (const std::string& note : table.notes)
        notes.append(toQt(note));
    m_notes->setText(notes.join(QLatin1Char('\n')));
}

void ExperimentWindow::showPublished(int index)
{
    if (index < 0 || static_cast<size_t>(index) >= m_published.tables.size())
        return;
    const ResultTable& table = m_published.tables[static_cast<size_t>(index)];
    m_publishedTable->display(table);
    m_publishedTable->setFixedHeight(m_publishedTable->sizeHint().height());
    QStringList notes { tr("%1: compare percents, not seconds.").arg(toQt(m_published.workload)) };
    for (const std::string& note : table.notes)
        notes.append(toQt(note));
    m_publishedNotes->setText(notes.join(QLatin1Char('\n')));
}

} // namespace namsan

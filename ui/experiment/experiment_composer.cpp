// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/experiment_composer.h"

#include "app/lab/possibility.h"
#include "app/lab/statistics.h"
#include "app/lab/workload.h"
#include "ui/common/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDate>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include <limits>

namespace namsan {

namespace {

constexpr unsigned mostVcpus = 4; // of the published tables; the command line takes more

QString toQt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QSpinBox* spinBox(int least, int most, int value)
{
    auto* box = new QSpinBox;
    box->setRange(least, most);
    box->setValue(value);
    return box;
}

QLabel* smallLabel()
{
    auto* label = new QLabel;
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    return label;
}

} // namespace

ExperimentComposer::ExperimentComposer(const Topology& host, std::set<QString> takenNames, QWidget* parent)
    : QDialog(parent)
    , m_takenNames(std::move(takenNames))
    , m_name(new QLineEdit)
    , m_workload(new QComboBox)
    , m_summary(smallLabel())
    , m_size(new QComboBox)
    , m_repetitions(spinBox(1, 1000, 6))
    , m_seed(spinBox(0, std::numeric_limits<int>::max(), 1))
    , m_verdict(smallLabel())
{
    setWindowTitle(tr("New experiment"));
    for (const Workload& workload : allWorkloads())
        m_workload->addItem(toQt(workload.title), toQt(workload.name));
    m_name->setObjectName(QStringLiteral("name"));
    m_workload->setObjectName(QStringLiteral("workload"));
    m_size->setObjectName(QStringLiteral("size"));
    m_repetitions->setObjectName(QStringLiteral("repetitions"));
    m_seed->setObjectName(QStringLiteral("seed"));
    m_verdict->setObjectName(QStringLiteral("verdict"));

    auto* form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(12);
    form->addRow(tr("&Name"), m_name);
    form->addRow(tr("&Workload"), m_workload);
    form->addRow(QString(), m_summary);
    form->addRow(tr("Si&ze"), m_size);
    form->addRow(tr("Engines"), buildEngines());
    form->addRow(tr("Placements"), buildColumns(host));
    form->addRow(tr("&Repetitions"), m_repetitions);
    form->addRow(tr("See&d"), m_seed);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    m_start = buttons->addButton(tr("Start"), QDialogButtonBox::AcceptRole);
    m_start->setObjectName(QStringLiteral("start"));
    m_start->setDefault(true);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(20, 20, 20, 20);
    column->setSpacing(16);
    column->addLayout(form);
    column->addWidget(m_verdict);
    column->addWidget(buttons);

    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        emit chosen(settings());
        accept();
    });
    connect(m_name, &QLineEdit::textChanged, this, &ExperimentComposer::check);
    connect(m_workload, &QComboBox::currentIndexChanged, this, &ExperimentComposer::showSizes);
    connect(m_repetitions, &QSpinBox::valueChanged, this, &ExperimentComposer::check);
    m_name->setText(tr("Experiment of %1").arg(QLocale().toString(QDate::currentDate(), QLocale::ShortFormat)));
    m_name->selectAll();
    showSizes();
}

void ExperimentComposer::preferWorkload(const QString& name)
{
    if (const int index = m_workload->findData(name); index >= 0)
        m_workload->setCurrentIndex(index);
}

QWidget* ExperimentComposer::buildEngines()
{
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    for (const auto& [engine, what] : { std::pair("soft", tr("The software CPU")),
             std::pair("kvm", tr("The host's KVM; where it can't be used, the table says why")),
             std::pair(yardstick, tr("A yardstick: the same guest in an installed QEMU, placed in the same way")) }) {
        auto* box = new QCheckBox(QString::fromLatin1(engine));
        box->setObjectName(QStringLiteral("engine-") + QLatin1String(engine));
        box->setToolTip(what);
        box->setAccessibleDescription(what);
        box->setChecked(m_engines.empty());
        connect(box, &QCheckBox::toggled, this, &ExperimentComposer::check);
        layout->addWidget(box);
        m_engines.push_back(box);
    }
    layout->addStretch(1);
    return row;
}

QWidget* ExperimentComposer::buildColumns(const Topology& host)
{
    auto* grid = new QWidget;
    auto* layout = new QGridLayout(grid);
    layout->setContentsMargins(0, 0, 0, 0);
    for (unsigned vcpus = 1; vcpus <= mostVcpus; ++vcpus) {
        for (const PlacementPolicy policy : { PlacementPolicy::Shared, PlacementPolicy::Disjoint }) {
            const Column column { vcpus, policy };
            auto* box = new QCheckBox(QString::fromStdString(column.name()));
            box->setObjectName(QStringLiteral("column-") + QString::fromStdString(column.option()));
            const auto possible = plan(host, policy, vcpus);
            box->setEnabled(possible.ok());
            box->setChecked(possible.ok() && vcpus == 1);
            const QString why = possible ? QString() : QString::fromStdString(possible.error().message);
            box->setToolTip(why);
            box->setAccessibleDescription(why);
            connect(box, &QCheckBox::toggled, this, &ExperimentComposer::check);
            layout->addWidget(box, policy == PlacementPolicy::Shared ? 0 : 1, static_cast<int>(vcpus) - 1);
            m_columns.emplace_back(column, box);
        }
    }
    auto* words = smallLabel();
    words->setText(tr("(s): the VMM shares a CPU with vCPU 0. (d): the VMM has a CPU of its own."));
    words->setFont(scaledFont(font(), 0.92));
    layout->addWidget(words, 2, 0, 1, static_cast<int>(mostVcpus));
    return grid;
}

void ExperimentComposer::showSizes()
{
    const auto workload = findWorkload(m_workload->currentData().toString().toStdString());
    if (!workload)
        return;
    const QString before = m_size->currentText();
    m_summary->setText(toQt(workload->summary));
    m_size->clear();
    for (const WorkloadSize& size : workload->sizes)
        m_size->addItem(toQt(size.name));
    const int again = m_size->findText(before.isEmpty() ? QStringLiteral("smoke") : before);
    m_size->setCurrentIndex(std::max(again, 0));
    check();
}

ExperimentSettings ExperimentComposer::settings() const
{
    ExperimentSettings settings;
    settings.name = m_name->text().trimmed().toStdString();
    settings.workload = m_workload->currentData().toString().toStdString();
    settings.size = m_size->currentText().toStdString();
    for (const QCheckBox* box : m_engines) {
        if (box->isChecked())
            settings.engines.push_back(box->text().toStdString());
    }
    for (const auto& [column, box] : m_columns) {
        if (box->isChecked())
            settings.columns.push_back(column);
    }
    settings.repetitions = static_cast<unsigned>(m_repetitions->value());
    settings.seed = static_cast<uint64_t>(m_seed->value());
    return settings;
}

QString ExperimentComposer::whatIsMissing() const
{
    const ExperimentSettings asked = settings();
    if (const auto name = checkExperimentName(asked.name); !name)
        return tr("Give the experiment a name of up to 100 characters; published-2019 is taken.");
    if (m_takenNames.contains(QString::fromStdString(asked.name)))
        return tr("There is an experiment of this name already; choose another one.");
    if (asked.engines.empty())
        return tr("Choose at least one engine.");
    if (asked.columns.empty())
        return tr("Choose at least one placement.");
    return {};
}

void ExperimentComposer::check()
{
    if (!m_start)
        return;
    const ExperimentSettings asked = settings();
    const QString missing = whatIsMissing();
    m_start->setEnabled(missing.isEmpty());
    m_start->setToolTip(missing);
    QString text = missing;
    if (missing.isEmpty()) {
        text = tr("%Ln run(s). You can cancel, close the program and continue: finished runs are kept.", nullptr,
            static_cast<int>(asked.engines.size() * asked.columns.size() * asked.repetitions));
        text.replace(QStringLiteral("run(s)"), QStringLiteral("runs")); // without a translation
        if (asked.repetitions < fewestForInterval)
            text += QLatin1Char(' ') + tr("Under %1 repetitions there are no intervals.").arg(fewestForInterval);
        if (std::ranges::find(asked.columns, baseColumn) == asked.columns.end())
            text += QLatin1Char(' ') + tr("Without 1(d) there are no percents.");
    }
    m_verdict->setText(text);
}

} // namespace namsan

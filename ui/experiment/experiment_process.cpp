// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/experiment_process.h"

#include <QStringList>

namespace namsan {

ExperimentProcess::ExperimentProcess(QString program, QObject* parent)
    : QObject(parent)
    , m_program(std::move(program))
{
    m_process.setStandardOutputFile(QProcess::nullDevice());
    connect(&m_process, &QProcess::readyReadStandardError, this, &ExperimentProcess::readLines);
    connect(&m_process, &QProcess::finished, this, [this](int code) {
        readLines();
        emit ended(code == 0, m_lastSentence);
    });
    connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            emit ended(false, tr("The program %1 can't be started: %2.").arg(m_program, m_process.errorString()));
    });
}

ExperimentProcess::~ExperimentProcess()
{
    m_process.disconnect(this);
    if (!running())
        return;
    constexpr int patience = 2000; // milliseconds
    m_process.terminate();
    m_process.waitForFinished(patience);
}

void ExperimentProcess::start(const ExperimentSettings& settings)
{
    if (running())
        return;
    QStringList engines;
    for (const std::string& engine : settings.engines)
        engines.append(QString::fromStdString(engine));
    m_name = QString::fromStdString(settings.name);
    m_lastSentence.clear();
    m_process.start(m_program,
        { QStringLiteral("experiment"), QStringLiteral("run"), QString::fromStdString(settings.workload),
            QStringLiteral("--size=%1").arg(QString::fromStdString(settings.size)),
            QStringLiteral("--engine=%1").arg(engines.join(QLatin1Char(','))),
            QStringLiteral("--columns=%1").arg(QString::fromStdString(describe(settings.columns))),
            QStringLiteral("--repetitions=%1").arg(settings.repetitions),
            QStringLiteral("--seed=%1").arg(settings.seed), QStringLiteral("--name=%1").arg(m_name) });
}

void ExperimentProcess::cancel()
{
    m_process.terminate();
}

void ExperimentProcess::readLines()
{
    m_process.setReadChannel(QProcess::StandardError);
    while (m_process.canReadLine()) {
        const QString line = QString::fromUtf8(m_process.readLine()).trimmed();
        const QLatin1String complaint("namsan: ");
        if (line.startsWith(complaint))
            m_lastSentence = line.mid(complaint.size());
        else
            emit progressed(line);
    }
}

} // namespace namsan

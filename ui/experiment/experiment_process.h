// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"

#include <QObject>
#include <QProcess>
#include <QString>

namespace namsan {

// Measures in a process of its own, "namsan experiment run": what the window does and shows takes nothing from the
// measurement, and the experiment is the same one that the command line would make.
class ExperimentProcess final : public QObject {
    Q_OBJECT

public:
    // program: namsan's own file.
    explicit ExperimentProcess(QString program, QObject* parent = nullptr);
    ~ExperimentProcess() override; // ends it; finished runs are kept

    bool running() const { return m_process.state() != QProcess::NotRunning; }
    QString name() const { return m_name; } // of the experiment that runs, or ran last

    void start(const ExperimentSettings&);
    void cancel(); // returns at once; ended() follows

signals:
    void progressed(const QString& line); // after each run
    void ended(bool ok, const QString& sentence); // what it said last, where it did not end well

private:
    void readLines();

    QString m_program;
    QProcess m_process;
    QString m_name;
    QString m_lastSentence;
};

} // namespace namsan

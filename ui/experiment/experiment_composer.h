// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"
#include "vmm/host/topology.h"

#include <QDialog>

#include <set>
#include <vector>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace namsan {

// Asks what an experiment is to do.
class ExperimentComposer final : public QDialog {
    Q_OBJECT

public:
    // takenNames: of the archive.
    ExperimentComposer(const Topology&, std::set<QString> takenNames, QWidget* parent = nullptr);

    ExperimentSettings settings() const;
    // Chooses a workload, where there is one of that name.
    void preferWorkload(const QString& name);

signals:
    void chosen(const namsan::ExperimentSettings& settings);

private:
    QWidget* buildColumns(const Topology&);
    QWidget* buildEngines();
    void showSizes();
    void check();
    QString whatIsMissing() const;

    std::set<QString> m_takenNames;
    QLineEdit* m_name;
    QComboBox* m_workload;
    QLabel* m_summary;
    QComboBox* m_size;
    std::vector<QCheckBox*> m_engines;
    std::vector<std::pair<Column, QCheckBox*>> m_columns;
    QSpinBox* m_repetitions;
    QSpinBox* m_seed;
    QLabel* m_verdict;
    QPushButton* m_start = nullptr;
};

} // namespace namsan

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"
#include "app/lab/result_table.h"

#include <QObject>
#include <QString>

#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <vector>

namespace namsan {

// What was in the archive at one moment.
struct ArchiveContent {
    std::vector<Experiment> experiments; // the newest first
    std::optional<ResultTable> table; // of the one that was asked for
    QString selected; // its name
    QString failure; // a sentence; empty: none
};

// Reads the archive of experiments on a thread of its own, since disks and bootstraps take their time: the window
// never waits for it.
class ExperimentArchive final : public QObject {
    Q_OBJECT

public:
    explicit ExperimentArchive(std::filesystem::path folder, QObject* parent = nullptr);
    ~ExperimentArchive() override; // waits for a reading that goes on

    const std::filesystem::path& folder() const { return m_folder; }
    // Returns at once; loaded() follows. What is asked for while it reads is read after that.
    void reload(const QString& selected);

signals:
    void loaded(const std::shared_ptr<const namsan::ArchiveContent>& content);

private:
    void begin(const QString& selected);
    void finish(const std::shared_ptr<const ArchiveContent>&);

    std::filesystem::path m_folder;
    std::future<void> m_reading;
    bool m_busy = false;
    std::optional<QString> m_next;
};

} // namespace namsan

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/experiment_archive.h"

#include "app/lab/experiment_store.h"

#include <algorithm>
#include <utility>

namespace namsan {

namespace {

std::shared_ptr<const ArchiveContent> readArchive(const std::filesystem::path& folder, const QString& selected)
{
    auto content = std::make_shared<ArchiveContent>();
    content->selected = selected;
    auto store = ExperimentStore::open(folder);
    if (!store) {
        content->failure = QString::fromStdString(store.error().message);
        return content;
    }
    auto experiments = (*store)->list();
    if (!experiments) {
        content->failure = QString::fromStdString(experiments.error().message);
        return content;
    }
    content->experiments = std::move(*experiments);
    const auto found = std::ranges::find_if(content->experiments,
        [name = selected.toStdString()](const Experiment& experiment) { return experiment.settings.name == name; });
    if (found != content->experiments.end())
        content->table = resultTable(*found);
    return content;
}

} // namespace

ExperimentArchive::ExperimentArchive(std::filesystem::path folder, QObject* parent)
    : QObject(parent)
    , m_folder(std::move(folder))
{
}

ExperimentArchive::~ExperimentArchive()
{
    if (m_reading.valid())
        m_reading.wait(); // what it posts is dropped with this object
}

void ExperimentArchive::reload(const QString& selected)
{
    if (m_busy)
        m_next = selected;
    else
        begin(selected);
}

void ExperimentArchive::begin(const QString& selected)
{
    m_busy = true;
    if (m_reading.valid())
        m_reading.wait(); // it has posted its result already
    m_reading = std::async(std::launch::async, [this, selected, folder = m_folder] {
        auto content = readArchive(folder, selected);
        QMetaObject::invokeMethod(
            this, [this, content] { finish(content); }, Qt::QueuedConnection);
    });
}

void ExperimentArchive::finish(const std::shared_ptr<const ArchiveContent>& content)
{
    m_busy = false;
    emit loaded(content);
    if (const auto next = std::exchange(m_next, std::nullopt); next && !m_busy)
        begin(*next);
}

} // namespace namsan

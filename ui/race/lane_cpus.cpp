// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/race/lane_cpus.h"

#include "ui/placement/cpu_cell.h"
#include "ui/placement/thread_chip.h"

#include <QGridLayout>
#include <QPainter>

#include <algorithm>

namespace namsan {

namespace {

constexpr int cellsInRow = 4;
constexpr double observedSpan = 2; // seconds

// A thread's chip that can't be moved.
class StillChip final : public QWidget {
public:
    StillChip(unsigned thread, QWidget* parent)
        : QWidget(parent)
        , m_thread(thread)
    {
        setAttribute(Qt::WA_TransparentForMouseEvents);
        setAccessibleName(threadName(thread));
    }

protected:
    void paintEvent(QPaintEvent*) override
    {
        QPainter painter(this);
        paintChip(painter, rect(), { .thread = m_thread, .label = threadName(m_thread) }, themeTokens(palette()),
            parentWidget()->parentWidget()->font());
    }

private:
    unsigned m_thread;
};

// By CPU, in the order of their numbers: the threads that were asked to run there.
std::map<LogicalCpu, std::vector<unsigned>> threadsByCpu(const Placement& placement)
{
    std::map<LogicalCpu, std::vector<unsigned>> threads;
    if (placement.vmm)
        threads[*placement.vmm].push_back(0);
    for (unsigned vcpu = 0; vcpu < placement.vcpus.size(); ++vcpu) {
        if (placement.vcpus[vcpu])
            threads[*placement.vcpus[vcpu]].push_back(vcpu + 1);
    }
    return threads;
}

} // namespace

LaneCpus::LaneCpus(QWidget* parent)
    : QWidget(parent)
    , m_grid(new QGridLayout(this))
{
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setSpacing(8);
}

void LaneCpus::setPlacement(const Topology& host, const Placement& placement)
{
    for (CpuCell* cell : m_cells)
        delete cell;
    m_cells.clear();
    m_chips.clear();
    m_threads = static_cast<unsigned>(placement.vcpus.size()) + 1;
    const int chipHeight = fontMetrics().height() + 4;
    size_t mostChips = 2;
    const auto threads = threadsByCpu(placement);
    for (const auto& [number, chips] : threads)
        mostChips = std::max(mostChips, chips.size());
    for (const auto& [number, chips] : threads) {
        const HostCpu* cpu = host.find(number);
        if (!cpu)
            continue;
        auto* cell = new CpuCell(*cpu, this);
        const int height = cell->captionHeight() + static_cast<int>(mostChips) * (chipHeight + 3) + CpuCell::barRoom();
        cell->setFixedSize(fontMetrics().height() * 6, height);
        for (size_t slot = 0; slot < chips.size(); ++slot) {
            auto* chip = new StillChip(chips[slot], cell);
            chip->setGeometry(cell->chipRect(static_cast<int>(slot), chipHeight));
        }
        const int place = static_cast<int>(m_cells.size());
        m_grid->addWidget(cell, place / cellsInRow, place % cellsInRow);
        cell->setVisible(true);
        m_cells.push_back(cell);
        m_chips.push_back(chips);
    }
    show(TimingHistory(), {});
}

void LaneCpus::show(const TimingHistory& history, const std::map<LogicalCpu, double>& hostLoad)
{
    for (size_t index = 0; index < m_cells.size(); ++index) {
        CpuCell::Content content;
        content.chips = m_chips[index];
        const LogicalCpu number = m_cells[index]->cpu().number;
        double ours = 0;
        for (unsigned thread = 0; thread < m_threads; ++thread) {
            const auto shares = history.observedShares(thread, observedSpan);
            if (const auto here = shares.find(number); here != shares.end()) {
                content.observed.push_back({ thread, history.load(thread) * here->second });
                ours += content.observed.back().load;
            }
        }
        if (const auto load = hostLoad.find(number); load != hostLoad.end()) {
            content.total = std::clamp(std::max(load->second, ours), 0.0, 1.0);
            content.others = *content.total - std::min(ours, *content.total);
        }
        m_cells[index]->setContent(content);
    }
}

} // namespace namsan

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/host/topology.h"

#include <QString>
#include <QWidget>

#include <optional>
#include <vector>

class QPainter;

namespace namsan {

// One logical CPU of the host: its number, its load, and a bar of who was seen there. Chips lie on it as siblings.
class CpuCell final : public QWidget {
    Q_OBJECT

public:
    struct Share {
        unsigned thread; // of the VM
        double load; // of the CPU, 0 to 1
        bool operator==(const Share&) const = default;
    };

    struct Ghost {
        unsigned thread;
        QString label; // "was 3"
        bool operator==(const Ghost&) const = default;
    };

    struct Content {
        std::vector<Share> observed;
        double others = 0; // other programs' share of the CPU
        std::optional<double> total; // empty: not known yet
        std::vector<unsigned> chips; // threads asked to run here
        std::vector<Ghost> ghosts; // threads that were seen here and are asked elsewhere
        bool operator==(const Content&) const = default;
    };

    CpuCell(const HostCpu&, QWidget* parent);

    const HostCpu& cpu() const { return m_cpu; }
    void setContent(const Content&);
    const Content& content() const { return m_content; }
    void setDropTarget(bool);
    bool dropTarget() const { return m_dropTarget; }

    int captionHeight() const;
    static int barRoom() { return 18; }
    QRect chipRect(int slot, int chipHeight) const; // in the cell's coordinates

protected:
    void paintEvent(QPaintEvent*) override;

private:
    void paintBar(QPainter&, const QRectF&) const;

    HostCpu m_cpu;
    Content m_content;
    bool m_dropTarget = false;
};

} // namespace namsan

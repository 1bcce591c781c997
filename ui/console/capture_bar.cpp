// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/console/capture_bar.h"

#include "ui/common/key_label.h"
#include "ui/common/symbolic_icon.h"
#include "ui/common/theme.h"
#include "ui/console/console_view.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>

namespace namsan {

CaptureBar::CaptureBar(ConsoleView& console, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_before(new QLabel)
    , m_key(new KeyLabel(tr("Right Ctrl")))
    , m_after(new QLabel(tr("releases it.")))
    , m_size(new QLabel)
    , m_scaling(new QComboBox)
{
    auto* icon = new QLabel;
    icon->setPixmap(symbolicIcon(QStringLiteral("input-keyboard")).pixmap(16, 16));
    icon->setAccessibleName(QString());
    m_scaling->addItem(tr("Integer"), QVariant::fromValue(static_cast<int>(PictureScaling::Integer)));
    m_scaling->addItem(tr("Smooth"), QVariant::fromValue(static_cast<int>(PictureScaling::Smooth)));
    m_scaling->addItem(tr("Fit"), QVariant::fromValue(static_cast<int>(PictureScaling::Sharp)));
    m_scaling->setItemData(0, tr("Whole multiples: every pixel of the guest is an equal square"), Qt::ToolTipRole);
    m_scaling->setItemData(1, tr("As large as the window allows, interpolated"), Qt::ToolTipRole);
    m_scaling->setItemData(2, tr("As large as the window allows, with sharp pixels"), Qt::ToolTipRole);
    m_scaling->setAccessibleName(tr("Scaling of the picture"));
    m_scaling->setToolTip(tr("Scaling of the picture"));
    m_scaling->setFocusPolicy(Qt::TabFocus);
    m_scaling->setCurrentIndex(m_scaling->findData(static_cast<int>(console.scaling())));
    m_scaling->setMinimumContentsLength(10);

    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 2, 8, 2);
    layout->setSpacing(8);
    layout->addWidget(icon);
    layout->addWidget(m_before);
    layout->addWidget(m_key);
    layout->addWidget(m_after);
    layout->addStretch(1);
    layout->addWidget(m_size);
    layout->addWidget(m_scaling);

    connect(m_scaling, &QComboBox::currentIndexChanged, this,
        [this] { m_console.setScaling(static_cast<PictureScaling>(m_scaling->currentData().toInt())); });
    connect(&console, &ConsoleView::capturedChanged, this, &CaptureBar::showCapture);
    connect(&console, &ConsoleView::placeChanged, this, &CaptureBar::showPicture);
    connect(&console, &ConsoleView::pictureSizeChanged, this, &CaptureBar::showPicture);
    showCapture();
    showPicture();
}

void CaptureBar::choose(PictureScaling scaling)
{
    m_scaling->setCurrentIndex(m_scaling->findData(static_cast<int>(scaling)));
}

void CaptureBar::showCapture()
{
    const bool captured = m_console.captured();
    m_before->setText(captured ? tr("Keyboard goes to the guest.") : tr("Click the picture to type into the guest."));
    m_key->setVisible(captured);
    m_after->setVisible(captured);
}

void CaptureBar::showPicture()
{
    QPalette palette = this->palette();
    palette.setColor(QPalette::WindowText, themeTokens(palette).secondaryText);
    m_size->setPalette(palette);
    const QSize size = m_console.picture().size();
    if (size.isEmpty()) {
        m_size->clear();
        return;
    }
    const QString dimensions = QStringLiteral("%1 × %2").arg(size.width()).arg(size.height());
    m_size->setText(m_console.text().empty() ? dimensions : tr("%1 text").arg(dimensions));
    const int multiple = m_console.place().multiple;
    m_scaling->setItemText(0, multiple > 0 ? tr("Integer %1×").arg(multiple) : tr("Integer"));
}

void CaptureBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setPen(themeTokens(palette()).border);
    painter.drawLine(0, 0, width(), 0);
}

} // namespace namsan

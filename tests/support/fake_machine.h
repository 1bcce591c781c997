// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/machine/machine.h"

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace namsan {

// A machine without a guest, for tests of what stands around machines: the test says what "the guest" does, and sees
// what was asked of it. What a real machine tells from its own threads, this one tells from the thread of the test.
class FakeMachine final : public Machine {
public:
    explicit FakeMachine(MachineConfig config = {}, MachineListener* listener = nullptr)
        : m_config(std::move(config))
        , m_listener(listener)
    {
    }

    const MachineConfig& config() const override { return m_config; }
    MachineState state() const override
    {
        const std::lock_guard guard(m_mutex);
        return m_state;
    }
    std::optional<MachineEnding> ending() const override
    {
        const std::lock_guard guard(m_mutex);
        return m_ending;
    }

    void start() override
    {
        enter(MachineState::Running);
        if (whenStarted)
            whenStarted(*this);
    }
    void pause() override { enter(MachineState::Paused); }
    void reset() override { note("reset"); }
    void pressPowerButton() override { note("power button"); }
    void stop() override { end(MachineEnding::Reason::Stopped, "It was stopped."); }
    bool waitForEnd(std::chrono::milliseconds time) override
    {
        std::unique_lock lock(m_mutex);
        return m_ended.wait_for(lock, time, [&] { return m_state == MachineState::Ended; });
    }

    void sendInput(const InputEvent& event) override
    {
        {
            const std::lock_guard guard(m_mutex);
            m_input.push_back(event);
        }
        if (whenInput)
            whenInput(*this, event);
    }
    void sendNmi() override { note("NMI"); }
    void sendSerial(std::span<const uint8_t> bytes) override
    {
        const std::lock_guard guard(m_mutex);
        m_serialInput.append(bytes.begin(), bytes.end());
    }

    FrameMailbox& addViewer(std::function<void()> notifier) override
    {
        FrameMailbox& viewer = m_viewers.emplace_back();
        viewer.setNotifier(std::move(notifier));
        if (m_frame.width > 0)
            viewer.publish(m_frame);
        return viewer;
    }
    void removeViewer(FrameMailbox& viewer) override
    {
        m_viewers.remove_if([&](const FrameMailbox& candidate) { return &candidate == &viewer; });
    }

    Result<void> place(const Placement& placement) override
    {
        if (refusePlacement)
            return Error { "The fake host refuses." };
        m_placement = placement;
        return {};
    }

    Result<void> moveToEngine(std::string_view engine) override
    {
        const std::lock_guard guard(m_mutex);
        for (const EngineOffer& offer : engines)
            if (offer.name == engine && offer.trouble.empty()) {
                m_moves.push_back({ m_sample.hostTime, m_sample.guestTime, m_engine, offer.name, "asked for" });
                m_engine = engine;
                return {};
            }
        return Error { "The fake host has no such engine." };
    }
    std::vector<EngineOffer> engineOffers() const override { return engines; }
    std::vector<EngineMove> engineMoves() const override
    {
        const std::lock_guard guard(m_mutex);
        return m_moves;
    }
    std::string engineName() const override
    {
        const std::lock_guard guard(m_mutex);
        return m_engine;
    }
    std::string engineReason() const override { return "the test asked for it"; }
    MachineSample sample() const override
    {
        const std::lock_guard guard(m_mutex);
        return m_sample;
    }
    const Log& log() const override { return m_log; }

    // What the guest does.

    void print(std::string_view text)
    {
        if (m_listener)
            m_listener->serialOutput({ reinterpret_cast<const uint8_t*>(text.data()), text.size() });
    }
    void show(std::vector<std::string> lines) { show(textFrame(std::move(lines))); }
    void show(Frame frame)
    {
        m_frame = std::move(frame);
        for (FrameMailbox& viewer : m_viewers)
            viewer.publish(m_frame);
    }
    void end(MachineEnding::Reason reason, std::string why)
    {
        {
            const std::lock_guard guard(m_mutex);
            if (m_state == MachineState::Ended)
                return;
            m_ending = MachineEnding { reason, std::move(why) };
        }
        enter(MachineState::Ended);
    }
    void reboot()
    {
        if (m_listener)
            m_listener->rebooted();
    }
    void setSample(MachineSample sample)
    {
        const std::lock_guard guard(m_mutex);
        m_sample = std::move(sample);
    }
    Log& ownLog() { return m_log; }

    // What was asked of it.

    std::vector<InputEvent> input() const
    {
        const std::lock_guard guard(m_mutex);
        return m_input;
    }
    std::string serialInput() const
    {
        const std::lock_guard guard(m_mutex);
        return m_serialInput;
    }
    std::vector<std::string> calls() const
    {
        const std::lock_guard guard(m_mutex);
        return m_calls;
    }
    const Placement& placement() const { return m_placement; }
    size_t viewers() const { return m_viewers.size(); }

    std::function<void(FakeMachine&)> whenStarted;
    std::function<void(FakeMachine&, const InputEvent&)> whenInput;
    bool refusePlacement = false;
    std::vector<EngineOffer> engines;

    // A black picture of a text screen with 80 columns of 2 x 2 pixels.
    static Frame textFrame(std::vector<std::string> lines)
    {
        Frame frame;
        frame.width = 160;
        frame.height = 50;
        frame.pixels.assign(static_cast<size_t>(frame.width * frame.height), 0xff000000);
        frame.damage = { 0, 0, frame.width, frame.height };
        frame.text = std::move(lines);
        return frame;
    }

private:
    void note(std::string call)
    {
        const std::lock_guard guard(m_mutex);
        m_calls.push_back(std::move(call));
    }
    void enter(MachineState state)
    {
        {
            const std::lock_guard guard(m_mutex);
            if (m_state == MachineState::Ended && state != MachineState::Ended)
                return;
            m_state = state;
            m_ended.notify_all();
        }
        if (m_listener)
            m_listener->stateChanged(state);
    }

    MachineConfig m_config;
    MachineListener* m_listener;
    mutable std::mutex m_mutex;
    std::condition_variable m_ended;
    MachineState m_state = MachineState::Ready;
    std::optional<MachineEnding> m_ending;
    MachineSample m_sample;
    std::vector<InputEvent> m_input;
    std::string m_serialInput;
    std::vector<std::string> m_calls;
    Placement m_placement;
    std::string m_engine = "fake";
    std::vector<EngineMove> m_moves;
    std::list<FrameMailbox> m_viewers;
    Frame m_frame;
    Log m_log;
};

} // namespace namsan

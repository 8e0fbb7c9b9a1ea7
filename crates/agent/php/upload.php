<?php
/** The data that a request takes, as far as it has come; see `flow.rs` and `exchange.rs`. */
final class Pressroom_Upload {
	/** Used bytes that are worth a credit frame. */
	const STEP = 262144;

	private $bytes = '';
	private $open  = Pressroom_Agent::INITIAL_CREDIT;
	private $used  = 0;
	private $ended = false;

	public function arrive( $bytes ) {
		$this->open -= strlen( $bytes );
		if ( $this->ended || $this->open < 0 ) {
			throw new Pressroom_Closed();
		}
		$this->bytes .= $bytes;
	}

	public function complete() {
		if ( $this->ended ) {
			throw new Pressroom_Closed();
		}
		$this->ended = true;
	}

	/** Whether there is something to take, be it the end. */
	public function is_ready() {
		return '' !== $this->bytes || $this->ended;
	}

	/** What has come, none at the end; and the credit to grant, null when it is not time for it. */
	public function take() {
		$taken       = $this->bytes;
		$this->bytes = '';
		$this->used += strlen( $taken );
		if ( $this->used < self::STEP || $this->ended ) {
			return array( $taken, null );
		}
		$grant       = $this->used;
		$this->used  = 0;
		$this->open += $grant;
		return array( $taken, $grant );
	}
}

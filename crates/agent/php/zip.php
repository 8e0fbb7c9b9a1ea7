<?php
/**
 * The directory of a zip and the contents of its entries, read as they are needed.
 *
 * PHP's own `ZipArchive` is missing on many hosts, wants a file with a name, and does
 * not tell two entries of the same name apart.
 */
final class Pressroom_Zip {
	const END        = "PK\x05\x06";
	const END_64     = "PK\x06\x06";
	const LOCATOR_64 = "PK\x06\x07";
	const ENTRY      = "PK\x01\x02";
	const LOCAL      = "PK\x03\x04";
	/** More entries than any package has. */
	const MAX_ENTRIES = 100000;
	/** What is read at once: it may inflate to a thousand times as much. */
	const PART = 8192;

	/** Its own size. */
	public $bytes;
	/** By name as it is in there, the last one where there are two. */
	public $entries = array();

	private $file;
	/** What stands before the zip in its file. */
	private $before = 0;

	public function __construct( $file ) {
		$this->file  = $file;
		$this->bytes = fstat( $file )['size'];
		list( $count, $at ) = $this->find_directory();
		if ( $count > self::MAX_ENTRIES ) {
			throw self::bad( "package has $count entries, more than " . self::MAX_ENTRIES );
		}
		fseek( $file, $at );
		for ( ; $count > 0; --$count ) {
			$this->read_entry();
		}
	}

	/** Hands an entry's content on in parts, its checksum verified at the end; answers its size. */
	public function copy( $entry, $shown, $take ) {
		$damaged = static function ( $why ) use ( $shown ) {
			return self::bad( "package entry $shown is damaged: $why" );
		};
		fseek( $this->file, $this->before + $entry['at'] );
		$head = $this->take( 30, 'its header is cut off' );
		if ( self::LOCAL !== substr( $head, 0, 4 ) ) {
			throw $damaged( 'it is not where the directory says' );
		}
		$lengths = unpack( 'vname/vextra', $head, 26 );
		fseek( $this->file, $lengths['name'] + $lengths['extra'], SEEK_CUR );
		if ( 0 !== $entry['method'] && 8 !== $entry['method'] ) {
			throw $damaged( 'it is packed in a way that is not known here' );
		}
		if ( 8 === $entry['method'] && ! function_exists( 'inflate_init' ) ) {
			throw new Pressroom_Refused( 'unable', 'the PHP of this host cannot unpack packages; it needs the extension `zlib`' );
		}
		$inflate = 8 === $entry['method'] ? inflate_init( ZLIB_ENCODING_RAW ) : null;
		$sum     = hash_init( 'crc32b' );
		$bytes   = 0;
		for ( $left = $entry['packed']; $left > 0; ) {
			$part = $this->take( min( $left, self::PART ), 'it is cut off' );
			$left -= strlen( $part );
			if ( $inflate ) {
				$part = @inflate_add( $inflate, $part );
				if ( false === $part ) {
					throw $damaged( 'it does not inflate' );
				}
			}
			$bytes += strlen( $part );
			hash_update( $sum, $part );
			$take( $part );
			if ( $inflate && ZLIB_STREAM_END === inflate_get_status( $inflate ) ) {
				break;
			}
		}
		if ( $inflate && ZLIB_STREAM_END !== inflate_get_status( $inflate ) ) {
			throw $damaged( 'it is cut off' );
		}
		if ( hash_final( $sum ) !== sprintf( '%08x', $entry['crc'] ) ) {
			throw $damaged( 'its checksum differs' );
		}
		return $bytes;
	}

	/** How many entries there are and where their directory begins. */
	private function find_directory() {
		$length = min( $this->bytes, 65557 );
		fseek( $this->file, $this->bytes - $length );
		$tail = $length > 0 ? $this->take( $length, 'it is cut off' ) : '';
		for ( $end = strlen( $tail ); false !== ( $end = strrpos( substr( $tail, 0, $end ), self::END ) ); $end += 3 ) {
			if ( $end + 22 <= $length && $end + 22 + unpack( 'v', $tail, $end + 20 )[1] <= $length ) {
				break;
			}
		}
		if ( false === $end ) {
			throw self::bad( 'package is not a zip: its directory is missing' );
		}
		$said  = unpack( 'vcount/Vsize/Vat', $tail, $end + 10 );
		$stops = $this->bytes - $length + $end;
		if ( $end >= 20 && self::LOCATOR_64 === substr( $tail, $end - 20, 4 ) ) {
			$stops -= 20;
			list( $said, $stops ) = $this->find_directory_64( unpack( 'P', $tail, $end - 12 )[1], $stops );
		}
		$this->before = $stops - $said['size'] - $said['at'];
		if ( $said['size'] < 0 || $said['at'] < 0 || $this->before < 0 || $said['count'] > $said['size'] / 46 ) {
			throw self::bad( 'package is not a zip: its directory is not where its end says' );
		}
		return array( $said['count'], $stops - $said['size'] );
	}

	/** The end of a large zip, and where it stands. */
	private function find_directory_64( $at, $before ) {
		// It may stand behind something else, as all of the zip.
		foreach ( array( $at, $before - 56 ) as $place ) {
			if ( $place < 0 || $place > $before - 56 ) {
				continue;
			}
			fseek( $this->file, $place );
			$end = $this->take( 56, 'it is cut off' );
			if ( self::END_64 === substr( $end, 0, 4 ) ) {
				return array( unpack( 'Pcount/Psize/Pat', $end, 32 ), $place );
			}
		}
		throw self::bad( 'package is not a zip: the end of its directory is missing' );
	}

	private function read_entry() {
		$head = $this->take( 46, 'its directory is cut off' );
		if ( self::ENTRY !== substr( $head, 0, 4 ) ) {
			throw self::bad( 'package is damaged: its directory has fewer entries than it says' );
		}
		$said  = unpack( 'vby/vneeds/vflags/vmethod/Vtime/Vcrc/Vpacked/Vsize/vname/vextra/vcomment/vdisk/vinternal/Vattributes/Vat', $head, 4 );
		$name  = $this->take( $said['name'], 'its directory is cut off' );
		$extra = $this->take( $said['extra'], 'its directory is cut off' );
		$this->take( $said['comment'], 'its directory is cut off' );
		$large = self::large( $extra );
		foreach ( array( 'size', 'packed', 'at' ) as $field ) {
			if ( 0xffffffff === $said[ $field ] && strlen( $large ) >= 8 ) {
				$said[ $field ] = unpack( 'P', $large )[1];
				$large          = (string) substr( $large, 8 );
			}
		}
		if ( $said['size'] < 0 || $said['packed'] < 0 || $said['at'] < 0 ) {
			throw self::bad( 'package is damaged: an entry of it is larger than can be' );
		}
		// The system in the upper byte: only Unix has links, and kinds at all.
		$mode = 3 === $said['by'] >> 8 ? $said['attributes'] >> 16 : 0;
		// Of all that is said, what is needed: there may be many.
		$this->entries[ $name ] = array(
			'at'        => $said['at'],
			'packed'    => $said['packed'],
			'size'      => $said['size'],
			'crc'       => $said['crc'],
			'method'    => $said['method'],
			'encrypted' => 1 === ( $said['flags'] & 1 ),
			'link'      => 0120000 === ( $mode & 0120000 ),
		);
	}

	/** The sizes that did not fit into an entry. */
	private static function large( $extra ) {
		for ( $at = 0; $at + 4 <= strlen( $extra ); $at += 4 + $field['length'] ) {
			$field = unpack( 'vid/vlength', $extra, $at );
			if ( 1 === $field['id'] ) {
				return (string) substr( $extra, $at + 4, $field['length'] );
			}
		}
		return '';
	}

	private function take( $length, $otherwise ) {
		for ( $bytes = ''; strlen( $bytes ) < $length; $bytes .= $part ) {
			$part = @fread( $this->file, $length - strlen( $bytes ) );
			if ( false === $part || '' === $part ) {
				throw self::bad( "package is damaged: $otherwise" );
			}
		}
		return $bytes;
	}

	public static function bad( $message ) {
		return new Pressroom_Refused( 'bad_input', $message );
	}
}
